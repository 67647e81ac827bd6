package main

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Body is a body of HCL as JSON, its blocks in the order of the file.
type Body struct {
	Attributes map[string]json.RawMessage `json:"attributes"`
	Blocks     []Block                    `json:"blocks"`
}

// Block is one block of HCL: its type, its labels and what stands in it.
type Block struct {
	Type   string   `json:"type"`
	Labels []string `json:"labels"`
	Body   *Body    `json:"body"`
}

// checkHCL checks the syntax of a file, whatever it is meant for.
func (r *Report) checkHCL(text []byte) error {
	file, problems := hclsyntax.ParseConfig(text, r.File, hcl.InitialPos)
	if problems.HasErrors() {
		return problems
	}
	r.HCL = bodyOf(file.Body.(*hclsyntax.Body), text)
	return nil
}

// bodyOf returns a body with the values of its attributes; an expression without
// a value of its own (a name, a call) is `{"expression": "its text"}`.
func bodyOf(body *hclsyntax.Body, text []byte) *Body {
	it := Body{Attributes: map[string]json.RawMessage{}, Blocks: []Block{}}
	for name, attribute := range body.Attributes {
		value, problems := attribute.Expr.Value(nil)
		asJSON, err := ctyjson.SimpleJSONValue{Value: value}.MarshalJSON()
		if problems.HasErrors() || err != nil {
			source := attribute.Expr.Range().SliceBytes(text)
			asJSON, _ = json.Marshal(map[string]string{"expression": string(source)})
		}
		it.Attributes[name] = asJSON
	}
	for _, block := range body.Blocks {
		labels := append([]string{}, block.Labels...)
		it.Blocks = append(it.Blocks, Block{block.Type, labels, bodyOf(block.Body, text)})
	}
	return &it
}
