// Package web serves the pages, their partials and the JSON API with echo. It is the only
// package that knows echo. Handlers read snapshots and database rows, put them together
// as a validator.Picture, and hand display-ready models to views; they never call NVML or
// an RPC node. Every route stands in routes.go, with who may call it.
package web
