package web

import (
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// origin leads to where a figure of a wallet came from.
func (s *Server) origin(validator.Address, string, string) views.Origin { return views.Origin{} }
