// Command stringcheck reads many small texts in one process, each by the code by
// which what a platform reads is read, and says what stands in them.
//
//	stringcheck dockerfile|env|ini|yaml
//
// Standard input is a JSON array of texts. Standard output is one of answers, in
// their order: `{"value": …}`, or `{"error": "…"}` for a text that can't be read.
//
//   - dockerfile: BuildKit's parser. The value is a list of instructions, each
//     with its words, those of `ENV` as they are without their quotes.
//   - env: compose-go's reader of files of variables, those of `docker compose`.
//   - ini: the reader of units of go-systemd. The value is a list of sections, each
//     with its name and its entries.
//   - yaml: sigs.k8s.io/yaml, the reader of Kubernetes and of its kubectl.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/coreos/go-systemd/v22/unit"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"sigs.k8s.io/yaml"
)

// Answer is what is read of one text.
type Answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	readers := map[string]func(string) (any, error){
		"dockerfile": readDockerfile,
		"env":        readEnv,
		"ini":        readINI,
		"yaml":       readYAML,
	}
	var read func(string) (any, error)
	if len(os.Args) == 2 {
		read = readers[os.Args[1]]
	}
	if read == nil {
		fail("usage: stringcheck dockerfile|env|ini|yaml")
	}
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		fail(err)
	}
	answers := make([]Answer, len(texts))
	for at, text := range texts {
		value, err := read(text)
		if err == nil {
			answers[at].Value, err = json.Marshal(value)
		}
		if err != nil {
			answers[at] = Answer{Error: err.Error()}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fail(err)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "stringcheck:", why)
	os.Exit(2)
}

func readYAML(text string) (any, error) {
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	return json.RawMessage(asJSON), err
}

func readEnv(text string) (any, error) {
	// What a variable of the machine would give is nothing here.
	return dotenv.ParseWithLookup(strings.NewReader(text), func(string) (string, bool) { return "", false })
}

func readINI(text string) (any, error) {
	return unit.DeserializeSections(strings.NewReader(text))
}

func readDockerfile(text string) (any, error) {
	file, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	words := shell.NewLex(file.EscapeToken)
	instructions := [][]string{}
	for _, node := range file.AST.Children {
		instruction := []string{node.Value}
		for next := node.Next; next != nil; next = next.Next {
			word := next.Value
			if strings.EqualFold(node.Value, "env") {
				// As the front end does it when it comes to the instruction.
				read, _, err := words.ProcessWord(word, shell.EnvsFromSlice(nil))
				if err != nil {
					return nil, err
				}
				word = read
			}
			instruction = append(instruction, word)
		}
		instructions = append(instructions, instruction)
	}
	return instructions, nil
}
