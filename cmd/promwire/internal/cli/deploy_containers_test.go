package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// knownPaths are the settings that the files may have, as their formats spell them: a name that is not here is an error, as those
// programs pass over many that they do not know.
const knownPaths = `
apiVersion kind metadata.name metadata.labels metadata.annotations
spec.selector spec.ports[].name spec.ports[].port spec.ports[].targetPort
spec.serviceName spec.replicas spec.template.metadata.labels spec.template.metadata.annotations
spec.template.spec.automountServiceAccountToken spec.template.spec.enableServiceLinks spec.template.spec.terminationGracePeriodSeconds
spec.template.spec.securityContext.runAsNonRoot spec.template.spec.securityContext.runAsUser
spec.template.spec.securityContext.runAsGroup spec.template.spec.securityContext.fsGroup
spec.template.spec.securityContext.fsGroupChangePolicy spec.template.spec.securityContext.seccompProfile.type
C.name C.image C.args[] C.env[].name C.env[].value C.ports[].name C.ports[].containerPort
C.livenessProbe.httpGet.path C.livenessProbe.httpGet.port C.livenessProbe.periodSeconds C.livenessProbe.timeoutSeconds
C.livenessProbe.failureThreshold C.readinessProbe.httpGet.path C.readinessProbe.httpGet.port C.readinessProbe.periodSeconds
C.readinessProbe.timeoutSeconds C.resources.requests C.resources.limits C.securityContext.allowPrivilegeEscalation
C.securityContext.readOnlyRootFilesystem C.securityContext.capabilities.drop[] C.volumeMounts[].name C.volumeMounts[].mountPath
spec.volumeClaimTemplates[].metadata.name spec.volumeClaimTemplates[].spec.accessModes[]
spec.volumeClaimTemplates[].spec.resources.requests
S.image S.build.context S.build.dockerfile S.ports[] S.volumes[] S.read_only S.cap_drop[] S.security_opt[] S.stop_grace_period
S.restart S.healthcheck.test[] S.healthcheck.interval S.healthcheck.timeout S.healthcheck.start_period S.command[] S.network_mode
S.depends_on volumes
`

var (
	aContainer = regexp.MustCompile(`^spec\.template\.spec\.containers\[\]`)
	aService   = regexp.MustCompile(`^services\.\w+`)
	ofUser     = regexp.MustCompile(`(?:^|\.)(?:labels|annotations|requests|limits|selector|depends_on|volumes)$`) // maps with names of their own
)

// readYAML returns the documents of a file, all of whose settings are known.
func readYAML(t *testing.T, file string) (docs []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(deploy + file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc map[string]any
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		docs = append(docs, doc)
		for _, path := range settings(doc, "") {
			path = aService.ReplaceAllString(aContainer.ReplaceAllString(path, "C"), "S")
			if !slices.Contains(strings.Fields(knownPaths), path) {
				t.Errorf("%s: %s is not known", file, path)
			}
		}
	}
	return docs
}

// settings returns the paths of all values.
func settings(v any, path string) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		if ofUser.MatchString(path) {
			return []string{path}
		}
		for name, below := range v {
			out = append(out, settings(below, strings.TrimPrefix(path+"."+name, "."))...)
		}
	case []any:
		for _, below := range v {
			out = append(out, settings(below, path+"[]")...)
		}
	default:
		out = []string{path}
	}
	return out
}

// at returns what is at a path, such as spec.ports.0.port, as text.
func at(t *testing.T, v any, path string) string {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(in) {
				t.Fatalf("%s: no %s", path, name)
			}
			v = in[i]
		}
	}
	return fmt.Sprint(v)
}

// arguments are those of a command line in a list of YAML; they are parsed as the program does.
func arguments(t *testing.T, command func(IO) *cobra.Command, list any) *cobra.Command {
	t.Helper()
	cmd := command(IO{})
	var args []string
	for _, a := range list.([]any) {
		args = append(args, fmt.Sprint(a))
	}
	if args[0] != cmd.Name() {
		t.Fatalf("%q is not %s", args, cmd.Name())
	}
	if err := errors.Join(cmd.ParseFlags(args[1:]), cmd.Args(cmd, cmd.Flags().Args())); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return cmd
}

// TestKubernetes checks that the manifest says one thing throughout, and what the image and the program say.
func TestKubernetes(t *testing.T) {
	docs := readYAML(t, "kubernetes.yaml")
	if len(docs) != 2 {
		t.Fatalf("%d documents", len(docs))
	}
	service, set := docs[0], docs[1]
	const pod = "spec.template.spec."
	serve := arguments(t, newServe, set["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["args"])
	flag := func(name string) string { return serve.Flags().Lookup(name).Value.String() }
	image, err := os.ReadFile(deploy + "container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	labels := at(t, set, "spec.template.metadata.labels")
	for what, same := range map[string][2]string{
		"kinds":       {at(t, service, "apiVersion") + at(t, service, "kind") + at(t, set, "apiVersion") + at(t, set, "kind"), "v1Serviceapps/v1StatefulSet"},
		"service":     {at(t, set, "spec.serviceName"), at(t, service, "metadata.name")},
		"selector":    {at(t, set, "spec.selector.matchLabels"), labels},
		"its Pods":    {at(t, service, "spec.selector"), labels},
		"port":        {":" + at(t, set, pod+"containers.0.ports.0.containerPort"), flag("listen")},
		"target port": {at(t, service, "spec.ports.0.targetPort"), at(t, set, pod+"containers.0.ports.0.name")},
		"healthy":     {at(t, set, pod+"containers.0.livenessProbe.httpGet.path"), healthyPath},
		"ready":       {at(t, set, pod+"containers.0.readinessProbe.httpGet.path"), readyPath},
		"data":        {at(t, set, pod+"containers.0.volumeMounts.0.mountPath"), flag("data")},
		"volume":      {at(t, set, pod+"containers.0.volumeMounts.0.name"), at(t, set, "spec.volumeClaimTemplates.0.metadata.name")},
		"user": {
			"USER " + at(t, set, pod+"securityContext.runAsUser") + ":" + at(t, set, pod+"securityContext.runAsGroup"),
			regexp.MustCompile(`(?m)^USER \S+`).FindString(string(image)),
		},
		"owner of the volume": {at(t, set, pod+"securityContext.fsGroup"), at(t, set, pod+"securityContext.runAsGroup")},
	} {
		if same[0] != same[1] {
			t.Errorf("%s: %s and %s", what, same[0], same[1])
		}
	}
}

// TestCompose checks the commands of the services, and that the files they mount are there.
func TestCompose(t *testing.T) {
	doc := readYAML(t, "compose.yaml")[0]
	services := doc["services"].(map[string]any)
	checkReachedBy(t, arguments(t, newServe, services["promwire"].(map[string]any)["command"]), "localhost:9201")
	arguments(t, newAgent, services["self"].(map[string]any)["command"])
	test := services["promwire"].(map[string]any)["healthcheck"].(map[string]any)["test"].([]any)
	if test[0] != "CMD" || test[1] != "/promwire" {
		t.Errorf("%v", test)
	}
	arguments(t, newReady, test[2:])
	for name, service := range services {
		volumes, _ := service.(map[string]any)["volumes"].([]any)
		for _, v := range volumes {
			from, _, _ := strings.Cut(v.(string), ":")
			_, named := doc["volumes"].(map[string]any)[from]
			if _, err := os.Stat(deploy + from); err != nil && !named {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := os.Stat("../../../../" + at(t, services, "promwire.build.dockerfile")); err != nil {
		t.Error(err)
	}
}

// TestImage checks the command of the image, and by which names its server is reached.
func TestImage(t *testing.T) {
	text, err := os.ReadFile(deploy + "container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	var command []any
	if err := json.Unmarshal(regexp.MustCompile(`(?m)^CMD (.*)$`).FindSubmatch(text)[1], &command); err != nil {
		t.Fatal(err)
	}
	checkReachedBy(t, arguments(t, newServe, command), "localhost:9201", "promwire:9201", "store.monitoring.svc:9201", "store.monitoring.svc.cluster.local")
}

// checkReachedBy demands that a server in a container is reached by names, but not by any: its port may be published at 127.0.0.1.
func checkReachedBy(t *testing.T, serve *cobra.Command, names ...string) {
	t.Helper()
	allowed, err := serve.Flags().GetStringSlice("web.allowed-hosts")
	f := hostFlags{allowed: allowed}
	if err := errors.Join(err, f.check()); err != nil {
		t.Fatal(err)
	}
	h := f.before(http.NotFoundHandler(), boundTo("::"), serve.Flags().Lookup("listen").Value.String(), newRefused())
	for _, name := range append(names, "127.0.0.1:9201", "rebound.example:9201") {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Host = name
		h.ServeHTTP(w, r)
		if reached := w.Code == http.StatusNotFound; reached == strings.HasPrefix(name, "rebound") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
