package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsOfDocs parses the command lines of the documents as the program does.
func TestCommandsOfDocs(t *testing.T) {
	files, err := filepath.Glob("../../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	block := regexp.MustCompile("(?s)```sh\n(.*?)```")
	for _, file := range append(files, "../../../../README.md", deploy+"README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			for _, line := range strings.Split(strings.ReplaceAll(m[1], "\\\n", " "), "\n") {
				for _, args := range commandLines(line) {
					checked++
					checkCommand(t, file, args)
				}
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d command lines were found", checked)
	}
}

var shellWord = regexp.MustCompile(`'[^']*'|"[^"]*"|&&|[&|;#]|(?:\$\(\([^)]*\)\)|[^\s'"&|;#])+`)

// commandLines returns the arguments of each promwire in a line of shell.
func commandLines(line string) (out [][]string) {
	var args []string
	end := func() {
		if len(args) > 1 && strings.TrimPrefix(args[0], "./") == "promwire" {
			out = append(out, args[1:])
		}
		args = nil
	}
	for _, w := range shellWord.FindAllString(line, -1) {
		switch w {
		case "#":
			end()
			return out
		case "&&", "&", "|", ";":
			end()
		default:
			args = append(args, strings.Trim(w, `'"`))
		}
	}
	end()
	return out
}

func checkCommand(t *testing.T, file string, args []string) {
	t.Helper()
	cmd, rest, err := newRoot(IO{}).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil && cmd.Args != nil {
		err = cmd.Args(cmd, cmd.Flags().Args())
	}
	if err != nil && !strings.Contains(strings.Join(args, " "), "...") {
		t.Errorf("%s: promwire %s: %v", filepath.Base(file), strings.Join(args, " "), err)
	}
}
