package validator

import (
	"strings"
	"testing"
)

func TestXIDsAreExplainedInSentences(t *testing.T) {
	for code, m := range xidMeanings {
		if m.Words == "" || strings.HasSuffix(m.Words, ".") || !strings.HasSuffix(m.Do, ".") || m.Severity == SeverityGood {
			t.Errorf("XID %d: %+v", code, m)
		}
	}
	for _, code := range []uint64{13, 31, 43, 45, 48, 63, 64, 74, 79, 92, 94, 95, 119, 120, 140} {
		if _, known := ExplainXID(code); !known {
			t.Errorf("XID %d is common and not explained", code)
		}
	}
	if m, known := ExplainXID(1); known {
		t.Errorf("XID 1 is unused, and explained as %+v", m)
	}
	if m, _ := ExplainXID(79); m.Severity != SeverityCritical || !strings.Contains(m.Words, "bus") {
		t.Errorf("XID 79: %+v", m)
	}
}
