// Package views holds the pages and panels as templ components, and the display-ready
// models that they take. It computes nothing and fetches nothing: every text is made
// by the caller. A page embeds the same panel component that the panel's own route renders.
package views
