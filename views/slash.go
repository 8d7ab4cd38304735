package views

// SlashPage answers "why was I slashed?" for one slash.
type SlashPage struct {
	Page  Page
	Title string // "Slashed 600 SAGE: timeout"
	Back  Link   // to the stake's page

	Reason Value // in a sentence
	Rows   []Row
	Tx     Link
	Effect *Tag // what it did to the worker; nil if that is not known
	Note   string

	Job     *SlashJob
	JobNote string // why there is no job

	GPU     Link // of its own page; without a text the job names none
	Charts  *ChartGroup
	GPUNote string

	Uptime UptimeStrip
	Advice []string
}

// SlashJob is the job for which the stake was slashed.
type SlashJob struct {
	Link   Link
	Status Tag
	Rows   []Row
	Error  string
}
