package chain

import (
	"strings"
	"testing"
)

func TestRevertWords(t *testing.T) {
	for _, c := range []struct{ name, said, want string }{
		{"a short string in brackets", "Execution failed. Failure reason: 0x4e6f207265776172647320746f20636c61696d ('No rewards to claim').", "No rewards to claim"},
		{"the innermost, not the frames", "1: Error in the called contract (0x1):\nExecution failed. Failure reason:\n(0x617267656e742f6d756c746963616c6c2d6661696c6564 ('argent/multicall-failed'), 0x0, 0x45 ('ERC20: insufficient balance'), 0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED')).", "ERC20: insufficient balance"},
		{"a long text in quotes", `Execution failed. Failure reason: "Use large transfer for ten thousand and more".`, "Use large transfer for ten thousand and more"},
		{"quotes inside JSON", `{"revert_error":{"error":"Execution failed. Failure reason: \"Something longer than thirty-one characters\"."}}`, "Something longer than thirty-one characters"},
		{"hex alone", "Execution failed. Failure reason: 0x496e73756666696369656e74207374616b65.", "Insufficient stake"},
		{"the felts of a panic alone", `{"revert_error":{"contract_address":"0x17fbc2481ee3285e0d47ebf1bb9a4900a3898f818da283054d43648c294789","class_hash":"0x1324a1116d68bdd6a99cbfaae17cbdc00b67bc65a5309d6aa41888973415511","selector":"0x1faca232f182446825f9026795ebb6f4c0fd1855718da8a62f7ddf3c88ca736","error":"[\"0x4661696c656420746f20646573657269616c697a6520706172616d202331\"]"}}`, "Failed to deserialize param #1"},
		{"a plain sentence", "Insufficient max L1 gas: max amount: 14674, actual used: 15556.", "Insufficient max L1 gas: max amount: 14674, actual used: 15556."},
		{"frames alone", "(0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED'))", ""},
		{"addresses alone", "Error at pc=0:1 in 0x1234567890abcdef", ""},
		{"nothing", "", ""},
		{"control characters", "('evil\x1b[31m')", ""},
	} {
		if got := revertWords(c.said); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := revertWords(strings.Repeat("word ", 100)); len(got) > maxRevertWords+len("…") {
		t.Errorf("%d bytes of a contract's words are shown", len(got))
	}
}

func FuzzRevertWords(f *testing.F) {
	f.Add("Failure reason: 0x4e6f ('No')")
	f.Fuzz(func(t *testing.T, s string) {
		got := strings.TrimSuffix(revertWords(s), "…")
		if len(got) > maxRevertWords || !printable(got) {
			t.Fatalf("%q gave %q", s, got)
		}
	})
}
