package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/views"
)

func TestWhereASignInLands(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/jobs": "/jobs", "/jobs?state=failed&q=a%2Fb": "/jobs?state=failed&q=a%2Fb", "/gpus/GPU-1#charts": "/gpus/GPU-1#charts",
		"": "/", "jobs": "/", "https://evil.example/": "/", "//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "/\t/evil.example": "/",
		"/%09/evil.example": "/%09/evil.example", "javascript:alert(1)": "/", " /jobs": "/", "/a b": "/", "/\n": "/", "///evil.example": "/", "/é": "/",
		"/signin": "/", "/signin?next=/jobs": "/", "/partials/jobs": "/", "/api/validator/status": "/", "/%2F/evil.example": "/", "/" + strings.Repeat("a", 2000): "/", "/%zz": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q lands on %q, want %q", next, got, want)
		}
	}
}

// Wherever a sign-in lands, it is on this site as a browser reads it.
func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/jobs", "//evil.example", "/\\evil.example", "/%2f/x", "/a?b#c"} {
		f.Add(s)
	}
	here, err := url.Parse("https://validators.example/signin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := localPath(next)
		u, err := here.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != here.Host || u.User != nil || strings.ContainsAny(got, "\\\t\r\n") || strings.HasPrefix(got, "//") {
			t.Errorf("%q lands on %q: %v, %v", next, got, u, err)
		}
		if again := localPath(got); again != got {
			t.Errorf("%q lands on %q, and that on %q", next, got, again)
		}
	})
}

func TestOriginsAsBrowsersWriteThem(t *testing.T) {
	for origin, want := range map[string]string{
		"https://Validators.Example:443": "https://validators.example", "http://a.example:80": "http://a.example", "http://a.example:443": "http://a.example:443",
		"https://a.example/": "https://a.example", "http://[::1]:3030": "http://[::1]:3030", "null": "", "": "", "a.example": "",
	} {
		if got := plainOrigin(origin); got != want {
			t.Errorf("%q is %q, want %q", origin, got, want)
		}
	}
}

func TestTheSignInPageHasWordsForEveryProblem(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	answer := visit(s, "/signin?next=/jobs")
	page := answer.Body.String()
	for _, p := range []views.SignInProblem{
		views.SignInNoWallet, views.SignInNoAccount, views.SignInRefused, views.SignInNetwork, views.SignInNoSwitch, views.SignInWallet, views.SignInSilent, views.SignInUnsigned, views.SignInAnswer, views.SignInNotDeployed,
		views.SignInInvalid, views.SignInExpired, views.SignInUnreachable, views.SignInDatabase, views.SignInTooMany, views.SignInOrigin, views.SignInLost, views.SignInFailed,
	} {
		if strings.Count(page, `id="`+string(p)+`"`) != 1 {
			t.Errorf("no words for %s", p)
		}
	}
	if !strings.Contains(page, `data-next="/jobs"`) || !strings.Contains(page, `data-origin="http://127.0.0.1:3030"`) {
		t.Error("the page does not say where to land, or where it is")
	}
	policy := answer.Header().Get("Content-Security-Policy")
	if strings.Replace(policy, " data:", "", 1) != contentPolicy || !strings.Contains(policy, "img-src 'self' data:") {
		t.Errorf("policy %q", policy)
	}
}
