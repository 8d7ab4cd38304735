package validator

// XIDMeaning says what an XID error stands for and what its reader can do.
type XIDMeaning struct {
	Words    string
	Do       string
	Severity Severity
}

// XIDCatalogURL is NVIDIA's catalogue of XID errors, which ExplainXID follows.
const XIDCatalogURL = "https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html"

// ExplainXID returns the meaning of an XID, false for a code that NVIDIA's catalogue lists
// as unused or without advice.
func ExplainXID(code uint64) (XIDMeaning, bool) {
	m, known := xidMeanings[code]
	return m, known
}

// What NVIDIA's catalogue advises at once ("resolution bucket"), in words.
const (
	doRestartApp = "The program that ran lost its work: start it again. If it recurs with other programs as well, contact the card's vendor."
	doCheckApp   = "Most often a fault of the program that ran: start it again, and check it if it recurs. With correct programs too, test the card."
	doReset      = "Drain the card and reset it (nvidia-smi --gpu-reset), or reboot the host. If it recurs, contact the card's vendor."
	doResetCheck = "Drain the card and reset it (nvidia-smi --gpu-reset). If it recurs, update the driver, and report it with nvidia-bug-report.sh."
	doNothing    = "Nothing at once. If it recurs, contact the card's vendor."
	doNVLink     = "Look at the link (nvidia-smi nvlink -s): reset the cards at both ends, and check bridge, cable or switch if it recurs."
)

var xidMeanings = map[uint64]XIDMeaning{
	8:   {"The card stopped processing a program's work", doRestartApp, SeverityWarning},
	11:  {"A program sent invalid or corrupted commands", doCheckApp, SeverityWarning},
	13:  {"A program raised an exception in the compute engine, often by an address out of range", doCheckApp, SeverityWarning},
	25:  {"A program sent illegal commands", doCheckApp, SeverityWarning},
	31:  {"A program touched card memory that it may not: a page fault", doCheckApp, SeverityWarning},
	32:  {"A program's commands arrived corrupted", doCheckApp, SeverityWarning},
	37:  {"The driver's firmware met a command that it does not know", doNothing, SeverityNeutral},
	38:  {"The driver's firmware ran into its watchdog", doNothing, SeverityNeutral},
	39:  {"A copy engine raised an exception", doRestartApp, SeverityWarning},
	40:  {"A copy engine raised an exception", doRestartApp, SeverityWarning},
	41:  {"A copy engine raised an exception", doRestartApp, SeverityWarning},
	43:  {"The card stopped processing: a program's own fault ended it", "Nothing for the card. Start the program again; if it recurs, contact the card's vendor.", SeverityWarning},
	44:  {"The compute engine faulted while it changed between programs", doNothing, SeverityWarning},
	45:  {"Programs were ended to clean up after an earlier error, or by their user", "Look for the XID before it: that one is the cause.", SeverityNeutral},
	46:  {"The card stopped processing and did not answer in time", doReset, SeverityCritical},
	48:  {"Card memory lost data: an ECC error of two bits that cannot be corrected", "The programs on the card lost their work. Look for XID 63, 64, 94 or 95 beside it, drain the card and reset it, so that the bad rows are taken out of use.", SeverityCritical},
	54:  {"The card's auxiliary power is not connected", "Check the power cables of the card and the supply.", SeverityCritical},
	60:  {"The video processor raised an exception", doRestartApp, SeverityWarning},
	62:  {"The card's power micro-controller halted", doReset, SeverityCritical},
	63:  {"A bad row of card memory is taken out of use", "Nothing at once: the remapping takes effect at the next reset.", SeverityNeutral},
	64:  {"A bad row of card memory could not be taken out of use", doReset, SeverityCritical},
	66:  {"The driver touched what it may not", doNothing, SeverityWarning},
	67:  {"The driver touched what it may not", doNothing, SeverityWarning},
	68:  {"A video decoder raised an exception", doRestartApp, SeverityWarning},
	69:  {"A program used the compute engine in a way that it does not offer", doCheckApp, SeverityWarning},
	74:  {"NVLink reported an error", doNVLink, SeverityCritical},
	78:  {"A virtual GPU could not start", "Update the driver and the virtual GPU's software to versions that fit each other.", SeverityCritical},
	79:  {"The card has fallen off the bus: the host no longer reaches it over PCIe", "Power the host off and on. If it recurs, check the seating, riser, power and temperature of the card, then contact its vendor.", SeverityCritical},
	80:  {"Data arrived corrupted at the card", doCheckApp, SeverityWarning},
	92:  {"Corrected ECC errors are frequent", doNothing, SeverityWarning},
	93:  {"The card's configuration memory is written too often", doNothing, SeverityNeutral},
	94:  {"A memory error that cannot be corrected was contained to one program", "Start that program again; others are unharmed. Reset the card when it is free, so that the row is taken out of use.", SeverityWarning},
	95:  {"A memory error that cannot be corrected was not contained", "Every program on the card lost its work. Drain it and reset it (nvidia-smi --gpu-reset) before the next job.", SeverityCritical},
	109: {"The card did not change between programs in time", doReset, SeverityCritical},
	110: {"The card reported a security fault", doResetCheck, SeverityCritical},
	119: {"The card's system processor (GSP) did not answer the driver in time", doResetCheck, SeverityCritical},
	120: {"The firmware of the card's system processor (GSP) failed", doResetCheck, SeverityCritical},
	121: {"The link between chips (C2C) reported an error", doNothing, SeverityWarning},
	136: {"A link could not be trained", doNVLink, SeverityCritical},
	137: {"NVLink met an access that is not allowed", "Nothing at once: a program on this or a linked card is the likely cause.", SeverityWarning},
	140: {"An ECC error that cannot be corrected escaped containment", doReset, SeverityCritical},
	141: {"A fast path of CUDA failed", doNothing, SeverityNeutral},
	143: {"The card could not be initialised", doReset, SeverityCritical},
	144: {"NVLink reported an error", doNVLink, SeverityCritical},
	145: {"NVLink reported an error", doNVLink, SeverityCritical},
	146: {"NVLink reported an error", doNVLink, SeverityCritical},
	147: {"NVLink reported an error", doNVLink, SeverityCritical},
	148: {"NVLink reported an error", doNVLink, SeverityCritical},
	149: {"NVLink reported an error", doNVLink, SeverityCritical},
	150: {"NVLink reported an error", doNVLink, SeverityCritical},
	151: {"The keys of confidential computing could not be rotated", "Restart the confidential virtual machine. If it recurs, contact the card's vendor.", SeverityCritical},
	154: {"The driver changed what it advises for this card after another error", "Follow the XID before it; nvidia-smi -q shows the advice as GPU Recovery Action.", SeverityWarning},
	155: {"NVLink's software reported an error", doNVLink, SeverityCritical},
	156: {"A failing part of the card is taken out of use", "Drain the card and reset it, so that this takes effect.", SeverityWarning},
	157: {"A failing part of the card could not be taken out of use", doNothing, SeverityWarning},
	158: {"The card ran into a fatal timeout", doReset, SeverityCritical},
	160: {"A channel of the card is taken out of use", doNothing, SeverityWarning},
	161: {"A channel of the card could not be taken out of use", doNothing, SeverityWarning},
	171: {"The error of XID 48 beside it is in the card's DRAM", "Follow XID 48.", SeverityCritical},
	172: {"The error of XID 48 beside it is in the chip's SRAM", "Follow XID 48.", SeverityCritical},
}
