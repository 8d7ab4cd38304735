package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// reply is an operation's answer.
type reply[T any] struct {
	Status int
	Body   T
}

func ok[T any](body T) (*reply[T], error) { return &reply[T]{http.StatusOK, body}, nil } //nolint:unparam // the last line of every handler

// bearerScheme names the tokens in the API's description.
const bearerScheme = "token"

type handler[I, O any] func(context.Context, *I) (*reply[O], error)

func get[I, O any](api huma.API, s *Server, path string, a access, tag, summary string, h handler[I, O]) {
	register(api, s, http.MethodGet, path, a, tag, summary, h)
}

func post[I, O any](api huma.API, s *Server, path string, a access, tag, summary string, h handler[I, O]) {
	register(api, s, http.MethodPost, path, a, tag, summary, h)
}

func register[I, O any](api huma.API, s *Server, method, path string, a access, tag, summary string, h handler[I, O]) {
	s.state(method, strings.NewReplacer("{", ":", "}", "").Replace(path), a)
	op := huma.Operation{
		OperationID: strings.ToLower(method) + strings.ReplaceAll(path, "/", "-"),
		Method:      method,
		Path:        path,
		Summary:     summary,
		Tags:        []string{tag},
		Errors:      []int{http.StatusBadRequest},

		MaxBodyBytes:    maxBodyBytes,
		BodyReadTimeout: readBody,
	}
	if a != accessPublic {
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Security = []map[string][]string{{bearerScheme: {}}}
		op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			if p := s.refuse(viewerOf(ctx.Context()), a); p != nil {
				if p.Status == http.StatusUnauthorized {
					ctx.SetHeader("WWW-Authenticate", bearerChallenge)
				}
				s.writeAPIProblem(ctx, p)
				return
			}
			next(ctx)
		}}
	}
	op.Middlewares = append(op.Middlewares, s.checkAPIQuery)
	huma.Register(api, op, func(ctx context.Context, in *I) (*reply[O], error) {
		out, err := h(ctx, in)
		if err != nil {
			p := nothingStored(problemOf(err))
			failedBy(ctx, err)
			return nil, p.identified(ctx)
		}
		return out, nil
	})
}

// writeAPIProblem writes a problem that keeps a request from its operation.
func (s *Server) writeAPIProblem(ctx huma.Context, p *problem) {
	failedBy(ctx.Context(), p)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	if err := json.NewEncoder(ctx.BodyWriter()).Encode(p.identified(ctx.Context())); err != nil {
		s.log.DebugContext(ctx.Context(), "error could not be written", slog.Any("error", err))
	}
}

// mountAPI puts the JSON API and its description into the router.
func (s *Server) mountAPI(e *echo.Echo) {
	useProblems()
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "BitSage validator dashboard",
				Version: s.version,
				Description: "Amounts are decimal strings of wei (10^-18 SAGE); members ending in _formatted are for people. Times are unix seconds. " +
					"A value that is not known is null, and sources says why. A query parameter that is not known, or stands twice, is an error. Errors are application/problem+json (RFC 9457).",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{bearerScheme: {
					Type: "http", Scheme: "bearer", Description: "A token of scope read (one wallet) or ingest (reports), made on the settings page or with the command token create. A browser's session counts as well.",
				}},
			},
		},
		OpenAPIPath:   "/openapi",
		Formats:       map[string]huma.Format{"application/json": storableJSON(huma.DefaultJSONFormat), "json": storableJSON(huma.DefaultJSONFormat)},
		DefaultFormat: "application/json",
	}
	for _, suffix := range []string{".json", ".yaml", "-3.0.json", "-3.0.yaml"} {
		s.state(http.MethodGet, cfg.OpenAPIPath+suffix, accessPublic)
	}
	api := humaecho.New(e, cfg)
	s.operations(api)
	refuseUnstorableTexts(api.OpenAPI())
	s.docs = describe(api.OpenAPI())
}

// WalletInput names the wallet that a request is about. It proves nothing.
type WalletInput struct {
	Header string `header:"X-Wallet-Address" doc:"The wallet that the request is about, in any form of its Starknet address; left out: the token's or session's wallet, else the server's VALIDATOR_ADDRESS. It proves nothing: a token or session of another wallet is refused." example:"0x0165fe12b09dd5e6b692cbf59f9c3ea0af30a2616f248c150357b07b967039da"`
	wallet validator.Address
}

// Resolve reads the header; huma calls it after its own checks.
func (in *WalletInput) Resolve(huma.Context) []error {
	if in.Header == "" {
		return nil
	}
	a, err := validator.ParseAddress(in.Header)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: "header.X-Wallet-Address", Message: "is " + err.Error(), Value: in.Header}}
	}
	in.wallet = a
	return nil
}

var _ huma.Resolver = (*WalletInput)(nil)

// walletFor returns the wallet that a request may see.
func (s *Server) walletFor(ctx context.Context, in WalletInput) (validator.Address, error) {
	wallet := in.wallet
	if wallet == "" {
		wallet = s.ownWallet(viewerOf(ctx))
	}
	if wallet == "" {
		return "", badField("header.X-Wallet-Address", "is missing: send the wallet's Starknet address, such as 0x0165fe12…, or set VALIDATOR_ADDRESS on the server", nil)
	}
	if !viewerOf(ctx).mayRead(wallet) {
		return "", notYourWallet()
	}
	return wallet, nil
}
