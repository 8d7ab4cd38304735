package web

import (
	"testing"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestAnAvatarTellsWalletsApart(t *testing.T) {
	seen := map[any]validator.Address{}
	for i := range 200 {
		wallet := validator.Address(validator.WeiFromInt(int64(i)).String())
		a := avatar(wallet)
		if a != avatar(wallet) {
			t.Fatal("the same wallet has two pictures")
		}
		if other, taken := seen[a]; taken {
			t.Errorf("%s and %s have the same picture", wallet, other)
		}
		seen[a] = wallet
	}
}
