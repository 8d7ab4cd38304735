package web

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// avatarSide is the number of cells along each side of an avatar; the right half mirrors
// the left.
const avatarSide = 5

// avatar draws a wallet's picture from its address alone: the same in every browser, and
// unlike another wallet's even where their abbreviations are alike.
func avatar(wallet validator.Address) views.Avatar {
	sum := sha256.Sum256([]byte(wallet))
	hue := int(sum[0])<<8 | int(sum[1])
	a := views.Avatar{
		Ground: fmt.Sprintf("hsl(%d 35%% 24%%)", hue%360),
		Ink:    fmt.Sprintf("hsl(%d 60%% 72%%)", (hue+40*int(sum[2]%7))%360),
	}
	var path strings.Builder
	for y := range avatarSide {
		for x := range (avatarSide + 1) / 2 {
			if sum[3+y*3+x]&1 == 0 {
				continue
			}
			fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			if mirror := avatarSide - 1 - x; mirror != x {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", mirror, y)
			}
		}
	}
	a.Cells = path.String()
	return a
}
