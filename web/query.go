package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Parameters of pages that no page's own file names.
const (
	paramWallet = "wallet"
	paramWindow = "window"
	paramHost   = "host"
	paramUUID   = "uuid"
	paramOf     = "of"
	paramTx     = "tx"
	paramTier   = "tier"
	paramAmount = "amount"
	paramAction = "kind"
	paramNext   = "next"
	paramChoose = "choose"
	paramJob    = "id"
)

// anyParam marks a route whose answer depends on no parameter, and that is asked by programs
// which add some of their own, such as one against caches.
const anyParam = "*"

// pageQueries lists the parameters that each route knows which is not of the JSON API. A route
// that is not listed knows none.
func pageQueries() map[string][]string {
	wallet := []string{paramWallet}
	with := func(params ...string) []string { return append(slices.Clone(wallet), params...) }
	jobs := with(paramText, paramStatus, paramKind, paramGPU, paramClient, paramFrom, paramTo, paramOrder, paramBefore, paramAfter)
	earnings := with(paramLast, paramFrom, paramTo, paramBy, paramBefore, paramAfter)
	gpu, network := with(paramUUID, paramWindow), with(paramWindow)
	action, entry := with(paramTx), with(paramAmount, paramTx)
	q := map[string][]string{
		"/":      with(paramChoose),
		"/gpus":  wallet,
		"/stake": with(paramBefore),
		"/jobs":  jobs, "/jobs/export": append(slices.Clone(jobs), paramFormat), "/jobs/:id": wallet,
		"/earnings": earnings, "/earnings/export": with(paramLast, paramFrom, paramTo, paramFormat), claimPriceURL: wallet,
		reconcilePath: with(paramClass, paramBefore), reconcilePath + "/export": with(paramClass, paramFormat),
		"/uptime": with(paramHost), "/gpus/:uuid": network, "/network": network, slashPath: wallet,
		actionPath[validator.ActionClaim]: action, actionPath[validator.ActionCompleteUnstake]: action,
		actionPath[validator.ActionUnstake]: entry, actionPath[validator.ActionStake]: append(slices.Clone(entry), paramTier),
		"/signin": {paramNext},

		"/partials/provenance": with(paramOf), networkProvenance: {paramOf},
		"/partials/job": with(paramJob), "/partials/job-card": with(paramJob), "/partials/earnings": earnings, "/partials/reconciled": with(paramClass, paramBefore),
		"/partials/stake-reputation": with(paramBefore), "/partials/uptime": with(paramHost), "/partials/uptime-past": with(paramHost),
		"/partials/preview": with(paramAction, paramAmount, paramTier), "/partials/track": with(paramAction, paramTx),

		staticRoute: {anyParam}, "/favicon.ico": {anyParam}, "/metrics": {anyParam}, demoComponents: {anyParam},
	}
	for _, panel := range []string{"status", "gpus", "jobs", "rewards", "risk", "sources", "stake-state", "stake-risk", "stake-terms", "stake-mining", "earnings-now", "reconciliation", "joblist"} {
		q["/partials/"+panel] = wallet
	}
	for _, panel := range []string{"gpu", "gpu-charts", "gpu-health", "gpu-failures"} {
		q["/partials/"+panel] = gpu
	}
	for _, panel := range []string{"network-now", "network-hours", "network-stake", "network-workers", "network-chain"} {
		q["/partials/"+panel] = network
	}
	return q
}

// checkQuery refuses a request of a page that names a parameter which the page does not know,
// or one of them twice: an answer to something else than what was asked would look like one to it.
func checkQuery(known []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := unknownParam(c.QueryParams(), known); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// checkAPIQuery does the same for the JSON API, whose description has the known parameters.
// Health checks may carry what they like: a probe that is refused takes a replica away.
func (s *Server) checkAPIQuery(ctx huma.Context, next func(huma.Context)) {
	var known []string
	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	if strings.HasPrefix(ctx.Operation().Path, "/health") {
		known = []string{anyParam}
	}
	u := ctx.URL()
	if p := unknownParam(u.Query(), known); p != nil {
		s.writeAPIProblem(ctx, p)
		return
	}
	next(ctx)
}

// unknownParam says which parameter is not among the known ones, or stands twice; nil: none.
func unknownParam(given url.Values, known []string) *problem {
	if slices.Contains(known, anyParam) {
		return nil
	}
	var fields []fieldProblem
	var details []string
	for name, texts := range given {
		var rule string
		switch {
		case !slices.Contains(known, name):
			rule = "is not known here: " + knownParams(known)
		case len(texts) > 1:
			rule = "stands twice: name it once"
		default:
			continue
		}
		name = "query." + beginning(name, longestParamName)
		fields, details = append(fields, fieldProblem{Field: name, Rule: rule}), append(details, name+" "+rule)
	}
	if len(fields) == 0 {
		return nil
	}
	slices.SortFunc(fields, func(a, b fieldProblem) int { return strings.Compare(a.Field, b.Field) })
	slices.Sort(details)
	return newProblem(http.StatusBadRequest, sentences(details), fields...)
}

// longestParamName bounds how much of an unknown parameter's name is repeated, in characters.
const longestParamName = 60

func knownParams(known []string) string {
	if len(known) == 0 {
		return "there are no parameters"
	}
	sorted := slices.Sorted(slices.Values(known))
	return fmt.Sprintf("there %s %s", map[bool]string{true: "is", false: "are"}[len(sorted) == 1], strings.Join(sorted, ", "))
}
