package queryapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/util/httputil"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// metadata answers as Prometheus does, in the order of names, but family by family: the API would have several copies of all in
// memory, which the store keeps 64 MiB of. The parameters are read.
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) {
	limit, err := metadataLimit(r.Form)
	if err != nil {
		(&apifront.Refusal{Status: http.StatusBadRequest, Kind: "bad_data", Err: err}).Answer(w)
		return
	}
	all := h.families(r.Form.Get("metric"))
	if limit >= 0 {
		all = all[:min(limit, len(all))]
	}
	w.Header().Set("Content-Type", "application/json")
	httputil.CompressionHandler{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = writeFamilies(w, all) // the client is gone, or takes too long
	})}.ServeHTTP(w, r)
}

// metadataLimit returns how many families are asked for; -1 for all. There is never more than one metadata of a family.
func metadataLimit(form url.Values) (limit int, err error) {
	limit = -1
	if s := form.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil {
			return 0, errors.New("limit must be a number")
		}
	}
	if s := form.Get("limit_per_metric"); s != "" {
		if _, err = strconv.Atoi(s); err != nil {
			return 0, errors.New("limit_per_metric must be a number")
		}
	}
	return limit, nil
}

// families returns the one of that name, if there is one, or all without a name.
func (h *Handler) families(name string) []promwire.MetricMetadata {
	if name == "" {
		return h.store.Families()
	}
	m, ok := h.store.Family(name)
	if !ok {
		return nil
	}
	return []promwire.MetricMetadata{{Family: name, Metadata: m}}
}

// writeFamilies stops at the first error.
func writeFamilies(w http.ResponseWriter, all []promwire.MetricMetadata) error {
	out := bufio.NewWriter(w)
	between := `{"status":"success","data":{`
	for i := range all {
		name, err := json.Marshal(all[i].Family)
		if err != nil {
			return err
		}
		data, err := json.Marshal([]metadata.Metadata{shown(all[i].Metadata)})
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(out, "%s%s:%s", between, name, data); err != nil {
			return err
		}
		between = ","
	}
	if len(all) > 0 {
		between = ""
	}
	if _, err := out.WriteString(between + "}}"); err != nil {
		return err
	}
	return out.Flush()
}

// shown returns metadata in the words of the API.
func shown(m promwire.Metadata) metadata.Metadata {
	kind := model.MetricTypeUnknown
	if m.Type > promwire.TypeUnknown && m.Type <= promwire.TypeStateSet {
		kind = model.MetricType(m.Type.String())
	}
	return metadata.Metadata{Type: kind, Help: m.Help, Unit: m.Unit}
}
