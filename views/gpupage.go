package views

// GPUsPage is the page "/gpus".
type GPUsPage struct {
	Page Page
	GPUs GPUsPanel
}

// GPUPage is the page of one GPU.
type GPUPage struct {
	Page     Page
	Name     string
	AllURL   string // of the page of all GPUs
	Now      GPUNow
	Charts   GPUCharts
	Health   GPUHealth
	Failures GPUFailures
}

// GPUNow is what a GPU does now.
type GPUNow struct {
	Panel  Panel
	Notice *Notice
	Card   GPUCard
	Hot    *Moment // since when it is near its heat limit; nil while it is not
}

// GPUCharts is a GPU's history over a window of time.
type GPUCharts struct {
	Panel   Panel
	Notice  *Notice
	Windows []Tab
	Group   ChartGroup
	Note    string // where the values come from, and how far back they reach
	Empty   *Empty
}

// GPUHealth is what a GPU is, and what is wrong with it.
type GPUHealth struct {
	Panel       Panel
	Notice      *Notice
	UUID        string
	Identity    []Row
	XIDs        []XIDRow
	XIDNote     string // how far back they are known; "" = nothing tells of them
	XIDURL      string // of the catalogue
	Parts       []HealthPart
	NotReported string // what its host does not report
}

// HealthPart is one side of a GPU's health.
type HealthPart struct {
	Name   string
	Rows   []Row
	Remedy string // what to do; "" = nothing
}

// XIDRow is an error that NVIDIA's driver reported, with how often it did.
type XIDRow struct {
	Title string // "XID 79"
	Count string // "3 times"; "" = once
	Words string
	Do    string
	Tone  Tone
	Icon  string
	When  Moment // the newest
}

// GPUFailures lists the jobs that failed on a GPU.
type GPUFailures struct {
	Panel  Panel
	Notice *Notice
	Note   string
	Rows   []JobRow
	Empty  *Empty
}
