package privatepg

import "errors"

// The kinds of Problem that callers tell apart, for errors.Is.
var (
	ErrInUse        = errors.New("the directory belongs to a running server")
	ErrOtherVersion = errors.New("the cluster was made by another major version")
	ErrNoBinaries   = errors.New("no PostgreSQL server binaries")
	ErrNoAccess     = errors.New("the server's user cannot use the directory")
)

// Problem is an error with words for people.
type Problem struct {
	Reason string // what is wrong, one sentence
	Remedy string // what the reader can do; may be empty
	Kind   error  // one of the errors above, or nil
	Cause  error  // for the log; may be nil
}

// Error returns reason, remedy and cause.
func (p *Problem) Error() string {
	s := p.Reason
	if p.Remedy != "" {
		s += " " + p.Remedy
	}
	if p.Cause != nil {
		s += " (" + p.Cause.Error() + ")"
	}
	return s
}

// Unwrap returns the kind and the cause.
func (p *Problem) Unwrap() []error {
	var out []error
	for _, err := range []error{p.Kind, p.Cause} {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// Permanent says whether trying again cannot help until a person has acted.
func (p *Problem) Permanent() bool {
	return errors.Is(p.Kind, ErrInUse) || errors.Is(p.Kind, ErrOtherVersion)
}
