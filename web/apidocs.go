package web

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/views"
)

// apiOperation is an endpoint as /docs shows it.
type apiOperation struct {
	views.DocsOperation

	group string
}

// groupOrder is the order of the groups on /docs.
var groupOrder = []string{"Validator", "Jobs", "Network", "Worker", "Health"}

// describe reads the operations back from their OpenAPI description, so that the page
// cannot say anything else than /openapi.json.
func describe(api *huma.OpenAPI) []apiOperation {
	var out []apiOperation
	for path, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil {
				continue
			}
			d := apiOperation{views.DocsOperation{Method: op.Method, Path: path, Summary: op.Summary, Description: op.Description, Private: len(op.Security) > 0}, op.Tags[0]}
			for _, p := range op.Parameters {
				d.Params = append(d.Params, views.DocsField{Name: p.Name, Type: p.In + " " + schemaType(p.Schema), Text: p.Description})
			}
			if op.RequestBody != nil {
				d.Body = schemaFields(api, op.RequestBody.Content["application/json"].Schema)
			}
			if r := op.Responses["200"]; r != nil && r.Content["application/json"] != nil {
				d.Answer = schemaFields(api, r.Content["application/json"].Schema)
			}
			d.Curl = curl(d)
			out = append(out, d)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if ga, gb := slices.Index(groupOrder, a.group), slices.Index(groupOrder, b.group); ga != gb {
			return ga < gb
		}
		if a.Path != b.Path {
			return a.Path < b.Path
		}
		return a.Method < b.Method
	})
	return out
}

func schemaFields(api *huma.OpenAPI, s *huma.Schema) []views.DocsField {
	if s != nil && s.Ref != "" {
		s = api.Components.Schemas.SchemaFromRef(s.Ref)
	}
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []views.DocsField
	for _, name := range names {
		p := s.Properties[name]
		out = append(out, views.DocsField{Name: name, Type: schemaType(p), Text: p.Description})
	}
	return out
}

func schemaType(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "" || s.Type == huma.TypeObject:
		return "object"
	case s.Type == huma.TypeArray:
		return "list"
	case s.Nullable:
		return s.Type + " or null"
	}
	return s.Type
}

func curl(d apiOperation) string {
	if d.Method == http.MethodPost {
		return ""
	}
	header := ""
	if d.Private {
		header = ` -H "Authorization: Bearer $TOKEN"`
	}
	for _, p := range d.Params {
		if strings.EqualFold(p.Name, "X-Wallet-Address") {
			header += ` -H "X-Wallet-Address: $WALLET"`
		}
	}
	return fmt.Sprintf("curl%s $DASHBOARD%s", header, d.Path)
}

func (s *Server) docsPage(c echo.Context) error {
	m := views.DocsPage{Page: s.page(c.Request(), "JSON API", "docs", "")}
	for _, d := range s.docs {
		if n := len(m.Groups); n == 0 || m.Groups[n-1].Name != d.group {
			m.Groups = append(m.Groups, views.DocsGroup{Name: d.group})
		}
		g := &m.Groups[len(m.Groups)-1]
		g.Operations = append(g.Operations, d.DocsOperation)
	}
	return s.render(c, http.StatusOK, views.Docs(m))
}
