package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// aliveRoute answers at once with nothing, so that an open page notices within seconds that
// its server has stopped to answer. It is about nobody and waits for no source: a sign-in that
// the database is too slow to check is no sign that the server is away.
const aliveRoute = "/partials/alive"

func (s *Server) alive(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
