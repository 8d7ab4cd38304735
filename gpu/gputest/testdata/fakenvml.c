// A stand-in for libnvidia-ml.so.1 that answers from the text file named in $FAKE_NVML.
//
// A line is "key=value", or "N.key=value" for GPU N alone (which wins). A value "!15"
// makes the calls that read it return nvmlReturn_t 15. The file is read again when it
// changes, in nvmlDeviceGetCount: one pass over the GPUs sees one version of it.
//
// Keys of the host besides those in the table of calls below:
//   init=!N      nvmlInit fails
//   session=S    any change of S is a driver that was restarted: calls return 1 until
//                nvmlShutdown and nvmlInit
//   sleep=MS     nvmlDeviceGetCount hangs that long, or until the file says otherwise
//   xids=S:I:X … GPU I reports XID X; each once, if its S is above those seen before
// Key of a GPU: lost=!N makes every call for it return N.
//
// What must pair up (init and shutdown, event sets) is logged to $FAKE_NVML.log.
//
// -DDRIVER=N leaves out the functions that driver N lacked; 0 has hardly any.
// -DNOT_NVML makes a library that is something else.
#ifdef NOT_NVML
int fake_something_else(void) { return 42; }
#else
#include <nvml.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_GPUS 64
#define MAX_KEY 48
#define MAX_VALUE 512
typedef nvmlReturn_t R;
typedef unsigned long long u64;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct { char key[MAX_KEY], value[MAX_VALUE]; } kv[1024];
static int nkv, inited;
static struct stat seen;
static char session[MAX_VALUE];      // as it was at nvmlInit
static char handles[MAX_GPUS];       // the handle of GPU i is &handles[i]

static void note(const char *line) {
	char path[4096];
	const char *conf = getenv("FAKE_NVML");
	snprintf(path, sizeof path, "%s.log", conf ? conf : "");
	FILE *f = conf ? fopen(path, "a") : NULL;
	if (!f) return;
	fprintf(f, "%s\n", line);
	fclose(f);
}

// parse splits a line into its key and value, and says whether it has both.
static int parse(const char *line, char key[MAX_KEY], char value[MAX_VALUE]) {
	return line[0] != '#' && sscanf(line, " %47[^= ] = %511[^\n]", key, value) == 2;
}

static void reload(void) {
	const char *path = getenv("FAKE_NVML");
	struct stat st;
	char line[MAX_KEY + MAX_VALUE];
	if (!path || stat(path, &st)) return;
	if (st.st_ino == seen.st_ino && st.st_mtim.tv_sec == seen.st_mtim.tv_sec && st.st_mtim.tv_nsec == seen.st_mtim.tv_nsec) return;
	FILE *f = fopen(path, "r");
	if (!f) return;
	seen = st;
	nkv = 0;
	while (nkv < 1024 && fgets(line, sizeof line, f))
		if (parse(line, kv[nkv].key, kv[nkv].value)) nkv++;
	fclose(f);
}

// find returns the value of key for GPU i (the host: i < 0), or def. It needs mu.
static const char *find(int i, const char *key, const char *def) {
	char own[MAX_KEY + 16];
	const char *v = def;
	snprintf(own, sizeof own, "%d.%s", i, key);
	for (int k = 0; k < nkv; k++) {
		if (i >= 0 && !strcmp(kv[k].key, own)) return kv[k].value;
		if (!strcmp(kv[k].key, key)) v = kv[k].value;
	}
	return v;
}

// str copies the value of key to out, or returns the error that stands in its place.
static R str(int i, const char *key, const char *def, char *out, unsigned len) {
	R r = NVML_SUCCESS;
	pthread_mutex_lock(&mu);
	const char *v = find(i, key, def);
	const char *lost = i >= 0 ? find(i, "lost", "") : "";
	if (!inited || strcmp(session, find(-1, "session", ""))) r = NVML_ERROR_UNINITIALIZED;
	else if (lost[0] == '!') r = (R)atoi(lost + 1);
	else if (v[0] == '!') r = (R)atoi(v + 1);
	else if (strlen(v) >= len) r = NVML_ERROR_INSUFFICIENT_SIZE;
	else strcpy(out, v);
	pthread_mutex_unlock(&mu);
	return r;
}

static R num(int i, const char *key, const char *def, u64 *n) {
	char s[MAX_VALUE];
	R r = str(i, key, def, s, sizeof s);
	if (!r) *n = strtoull(s, NULL, 0);
	return r;
}

static int idx(nvmlDevice_t d) { return (int)((char *)d.handle - handles); }

// CALL reads one number of a GPU; CALL1 has a selector in between, which the key names.
#define CALL(fn, type, key, def) \
	R fn(nvmlDevice_t d, type *v) { u64 n; R r = num(idx(d), key, def, &n); if (!r) *v = (type)n; return r; }
#define CALL1(fn, arg, type, key, def) \
	R fn(nvmlDevice_t d, arg a, type *v) { \
		char k[MAX_KEY]; u64 n; snprintf(k, sizeof k, key, (int)a); \
		R r = num(idx(d), k, def, &n); if (!r) *v = (type)n; return r; }

// --- start, end and what every driver has

R nvmlInit_v2(void) {
	R r = NVML_SUCCESS;
	pthread_mutex_lock(&mu);
	reload();
	const char *v = find(-1, "init", "");
	if (v[0] == '!') r = (R)atoi(v + 1);
	else { inited++; strcpy(session, find(-1, "session", "")); }
	pthread_mutex_unlock(&mu);
	if (!r) note("init");
	return r;
}

R nvmlShutdown(void) {
	pthread_mutex_lock(&mu);
	int was = inited;
	if (inited) inited--;
	pthread_mutex_unlock(&mu);
	if (!was) return NVML_ERROR_UNINITIALIZED;
	note("shutdown");
	return NVML_SUCCESS;
}

static R count(unsigned *v) {
	u64 n, ms, waited = 0;
	for (;; waited += 5, usleep(5000)) {
		pthread_mutex_lock(&mu);
		reload();
		pthread_mutex_unlock(&mu);
		if (num(-1, "sleep", "0", &ms) || waited >= ms) break;
	}
	R r = num(-1, "count", "1", &n);
	if (!r) *v = n > MAX_GPUS && n < 1000000 ? MAX_GPUS : (unsigned)n; // more is a driver that went mad
	return r;
}

static R handle(unsigned i, nvmlDevice_t *d) {
	u64 n;
	R r = num(-1, "count", "1", &n);
	if (r) return r;
	if (i >= n || i >= MAX_GPUS) return NVML_ERROR_INVALID_ARGUMENT;
	d->handle = (void *)&handles[i];
	return num((int)i, "handle", "0", &n);
}

#if DRIVER == 0 || DRIVER >= 319
R nvmlDeviceGetCount_v2(unsigned *v) { return count(v); }
R nvmlDeviceGetHandleByIndex_v2(unsigned i, nvmlDevice_t *d) { return handle(i, d); }
#else
R nvmlDeviceGetCount(unsigned *v) { return count(v); }
R nvmlDeviceGetHandleByIndex(unsigned i, nvmlDevice_t *d) { return handle(i, d); }
#endif

R nvmlDeviceGetUUID(nvmlDevice_t d, char *v, unsigned n) {
	char u[64];
	snprintf(u, sizeof u, "GPU-00000000-0000-0000-0000-%012d", idx(d));
	return str(idx(d), "uuid", u, v, n);
}

#if DRIVER > 0 // --- the host

R nvmlSystemGetDriverVersion(char *v, unsigned n) { return str(-1, "driver", "570.86.15", v, n); }

R nvmlSystemGetProcessName(unsigned pid, char *v, unsigned n) {
	char k[MAX_KEY];
	snprintf(k, sizeof k, "pid.%u", pid);
	return str(-1, k, "!6", v, n);
}

#if DRIVER >= 390
R nvmlSystemGetCudaDriverVersion(int *v) { u64 n; R r = num(-1, "cuda", "12080", &n); if (!r) *v = (int)n; return r; }
#endif
#if DRIVER >= 418
R nvmlSystemGetCudaDriverVersion_v2(int *v) { return nvmlSystemGetCudaDriverVersion(v); }
#endif
#if DRIVER >= 535
R nvmlSystemGetConfComputeState(nvmlConfComputeSystemState_t *s) {
	u64 on, dev, env;
	R r = num(-1, "cc", "!3", &on);
	if (!r) r = num(-1, "cc.devtools", "0", &dev);
	if (!r) r = num(-1, "cc.env", "0", &env);
	if (!r) *s = (nvmlConfComputeSystemState_t){.environment = (unsigned)env, .ccFeature = (unsigned)on, .devToolsMode = (unsigned)dev};
	return r;
}
R nvmlSystemGetConfComputeGpusReadyState(unsigned *v) { u64 n; R r = num(-1, "cc.ready", "!3", &n); if (!r) *v = (unsigned)n; return r; }
R nvmlDeviceGetConfComputeMemSizeInfo(nvmlDevice_t d, nvmlConfComputeMemSizeInfo_t *m) {
	u64 p;
	R r = num(idx(d), "cc.protected", "!3", &p);
	if (!r) *m = (nvmlConfComputeMemSizeInfo_t){.protectedMemSizeKib = p};
	return r;
}
#endif

// --- identity and limits

R nvmlDeviceGetName(nvmlDevice_t d, char *v, unsigned n) { return str(idx(d), "name", "NVIDIA H100 80GB HBM3", v, n); }
R nvmlDeviceGetVbiosVersion(nvmlDevice_t d, char *v, unsigned n) { return str(idx(d), "vbios", "96.00.74.00.11", v, n); }

static R pci(nvmlDevice_t d, char *id, unsigned len, const char *format) {
	char b[32];
	snprintf(b, sizeof b, format, idx(d) + 1);
	return str(idx(d), "bus", b, id, len);
}
#if DRIVER >= 384
R nvmlDeviceGetPciInfo_v3(nvmlDevice_t d, nvmlPciInfo_t *p) { memset(p, 0, sizeof *p); return pci(d, p->busId, sizeof p->busId, "00000000:%02X:00.0"); }
#else
R nvmlDeviceGetPciInfo_v2(nvmlDevice_t d, nvmlPciInfo_t *p) { memset(p, 0, sizeof *p); return pci(d, p->busIdLegacy, sizeof p->busIdLegacy, "0000:%02X:00.0"); }
#endif

CALL1(nvmlDeviceGetTemperatureThreshold, nvmlTemperatureThresholds_t, unsigned, "temp.max.%d", "95")
CALL(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, "power.default", "700000")
CALL1(nvmlDeviceGetMaxClockInfo, nvmlClockType_t, unsigned, "clock.max.%d", "1980")
CALL(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, "pcie.gen.max", "5")
CALL(nvmlDeviceGetMaxPcieLinkWidth, unsigned, "pcie.width.max", "16")

// --- load

R nvmlDeviceGetMemoryInfo(nvmlDevice_t d, nvmlMemory_t *m) { // the reserve counts as used
	u64 total, used, reserved;
	R r = num(idx(d), "mem.total", "85899345920", &total);
	if (!r) r = num(idx(d), "mem.used", "0", &used);
	if (!r) r = num(idx(d), "mem.reserved", "536870912", &reserved);
	if (!r) *m = (nvmlMemory_t){.total = total, .free = total - used - reserved, .used = used + reserved};
	return r;
}
#if DRIVER >= 510
R nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t d, nvmlMemory_v2_t *m) {
	u64 total, used, reserved, n;
	if (m->version != nvmlMemory_v2) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
	R r = num(idx(d), "mem.v2", "0", &n);
	if (!r) r = num(idx(d), "mem.total", "85899345920", &total);
	if (!r) r = num(idx(d), "mem.used", "0", &used);
	if (!r) r = num(idx(d), "mem.reserved", "536870912", &reserved);
	if (!r) *m = (nvmlMemory_v2_t){.version = nvmlMemory_v2, .total = total, .reserved = reserved, .free = total - used - reserved, .used = used};
	return r;
}
#endif
R nvmlDeviceGetUtilizationRates(nvmlDevice_t d, nvmlUtilization_t *v) {
	u64 gpu, mem;
	R r = num(idx(d), "util", "0", &gpu);
	if (!r) r = num(idx(d), "util.mem", "0", &mem);
	if (!r) *v = (nvmlUtilization_t){(unsigned)gpu, (unsigned)mem};
	return r;
}
static R codec(nvmlDevice_t d, const char *key, unsigned *v, unsigned *period) {
	u64 n;
	R r = num(idx(d), key, "0", &n);
	if (!r) *v = (unsigned)n, *period = 167000;
	return r;
}
R nvmlDeviceGetEncoderUtilization(nvmlDevice_t d, unsigned *v, unsigned *period) { return codec(d, "util.enc", v, period); }
R nvmlDeviceGetDecoderUtilization(nvmlDevice_t d, unsigned *v, unsigned *period) { return codec(d, "util.dec", v, period); }
#if DRIVER >= 450
R nvmlDeviceGetMigMode(nvmlDevice_t d, unsigned *current, unsigned *pending) { u64 n; R r = num(idx(d), "mig", "!3", &n); if (!r) *current = *pending = (unsigned)n; return r; }
#endif

// procs and procs.graphics are "PID:BYTES PID:BYTES …"; "PID+N:BYTES" stands for N of them.
// procs.claim is how many the driver says it has listed, where that is not true.
static R procs(nvmlDevice_t d, const char *key, const char *def, unsigned *n, nvmlProcessInfo_t *p) {
	char s[MAX_VALUE], *save = NULL;
	unsigned found = 0, room = *n;
	u64 claim;
	R r = str(idx(d), key, def, s, sizeof s);
	if (!r) r = num(idx(d), "procs.claim", "0", &claim);
	if (r) return r;
	for (char *t = strtok_r(s, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		unsigned pid = 0, many = 1;
		u64 bytes = 0;
		if (sscanf(t, "%u+%u:%llu", &pid, &many, &bytes) != 3) many = 1, sscanf(t, "%u:%llu", &pid, &bytes);
		for (unsigned k = 0; k < many; k++, found++)
			if (found < room) p[found] = (nvmlProcessInfo_t){.pid = pid + k, .usedGpuMemory = bytes, .gpuInstanceId = ~0u, .computeInstanceId = ~0u};
	}
	*n = found;
	if (found > room) return NVML_ERROR_INSUFFICIENT_SIZE;
	if (claim) *n = (unsigned)claim;
	return NVML_SUCCESS;
}
static R procs_v1(nvmlDevice_t d, const char *key, const char *def, unsigned *n, nvmlProcessInfo_v1_t *p) {
	nvmlProcessInfo_t all[1024];
	unsigned room = *n, found = 1024;
	R r = procs(d, key, def, &found, all);
	if (r) return r;
	*n = found;
	if (found > room) return NVML_ERROR_INSUFFICIENT_SIZE;
	for (unsigned k = 0; k < found; k++) p[k] = (nvmlProcessInfo_v1_t){all[k].pid, all[k].usedGpuMemory};
	return r;
}
R nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_v1_t *p) { return procs_v1(d, "procs", "", n, p); }
R nvmlDeviceGetGraphicsRunningProcesses(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_v1_t *p) { return procs_v1(d, "procs.graphics", "", n, p); }
#if DRIVER >= 450
R nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_v2_t *p) { return procs(d, "procs", "", n, (nvmlProcessInfo_t *)p); }
R nvmlDeviceGetGraphicsRunningProcesses_v2(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_v2_t *p) { return procs(d, "procs.graphics", "", n, (nvmlProcessInfo_t *)p); }
#endif
#if DRIVER >= 510
R nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_t *p) { return procs(d, "procs", "", n, p); }
R nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t d, unsigned *n, nvmlProcessInfo_t *p) { return procs(d, "procs.graphics", "", n, p); }
#endif

// --- heat, power and clocks

R nvmlDeviceGetTemperature(nvmlDevice_t d, nvmlTemperatureSensors_t s, unsigned *v) { (void)s; u64 n; R r = num(idx(d), "temp", "35", &n); if (!r) *v = (unsigned)n; return r; }
#if DRIVER >= 560
R nvmlDeviceGetTemperatureV(nvmlDevice_t d, nvmlTemperature_t *t) {
	u64 n;
	if (t->version != nvmlTemperature_v1) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
	R r = num(idx(d), "temp.v", "0", &n);
	if (!r) r = num(idx(d), "temp", "35", &n);
	if (!r) t->temperature = (int)n;
	return r;
}
#endif
#if DRIVER >= 390
R nvmlDeviceGetFieldValues(nvmlDevice_t d, int n, nvmlFieldValue_t *f) {
	u64 v;
	R r = num(idx(d), "fields", "0", &v);
	for (int k = 0; !r && k < n; k++) {
		f[k].nvmlReturn = f[k].fieldId == NVML_FI_DEV_MEMORY_TEMP ? num(idx(d), "temp.mem", "!3", &v) : NVML_ERROR_NOT_SUPPORTED;
		f[k].valueType = NVML_VALUE_TYPE_UNSIGNED_INT;
		if (!f[k].nvmlReturn) f[k].value.uiVal = (unsigned)v;
	}
	return r;
}
CALL(nvmlDeviceGetTotalEnergyConsumption, u64, "energy", "!3")
#endif
CALL(nvmlDeviceGetFanSpeed, unsigned, "fan", "!3")
CALL(nvmlDeviceGetPowerUsage, unsigned, "power", "70000")
CALL(nvmlDeviceGetPowerManagementLimit, unsigned, "power.limit", "700000")
#if DRIVER >= 319
CALL(nvmlDeviceGetEnforcedPowerLimit, unsigned, "power.enforced", "700000")
#endif
CALL1(nvmlDeviceGetClockInfo, nvmlClockType_t, unsigned, "clock.%d", "1980")
CALL(nvmlDeviceGetPerformanceState, nvmlPstates_t, "pstate", "0")
CALL(nvmlDeviceGetCurrentClocksThrottleReasons, u64, "throttle", "1")
#if DRIVER >= 535
R nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t d, u64 *v) { u64 n; R r = num(idx(d), "throttle.event", "0", &n); return r ? r : nvmlDeviceGetCurrentClocksThrottleReasons(d, v); }
#endif
CALL(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, "pcie.gen", "5")
CALL(nvmlDeviceGetCurrPcieLinkWidth, unsigned, "pcie.width", "16")
CALL1(nvmlDeviceGetPcieThroughput, nvmlPcieUtilCounter_t, unsigned, "pcie.%d", "0")

// --- errors

R nvmlDeviceGetEccMode(nvmlDevice_t d, nvmlEnableState_t *current, nvmlEnableState_t *pending) { u64 n; R r = num(idx(d), "ecc", "1", &n); if (!r) *current = *pending = (nvmlEnableState_t)n; return r; }
R nvmlDeviceGetTotalEccErrors(nvmlDevice_t d, nvmlMemoryErrorType_t t, nvmlEccCounterType_t c, u64 *v) {
	char k[MAX_KEY];
	snprintf(k, sizeof k, "ecc.%d.%d", (int)t, (int)c);
	return num(idx(d), k, "0", v);
}
#if DRIVER >= 450
R nvmlDeviceGetRemappedRows(nvmlDevice_t d, unsigned *corrected, unsigned *uncorrected, unsigned *pending, unsigned *failed) {
	u64 c, u;
	R r = num(idx(d), "remapped.0", "!3", &c);
	if (!r) r = num(idx(d), "remapped.1", "0", &u);
	if (!r) *corrected = (unsigned)c, *uncorrected = (unsigned)u, *pending = *failed = 0;
	return r;
}
#endif
R nvmlDeviceGetRetiredPages(nvmlDevice_t d, nvmlPageRetirementCause_t cause, unsigned *n, u64 *pages) {
	char k[MAX_KEY];
	u64 found;
	unsigned room = *n;
	snprintf(k, sizeof k, "retired.%d", (int)cause);
	R r = num(idx(d), k, "!3", &found);
	if (r) return r;
	*n = (unsigned)found;
	if (found > room) return NVML_ERROR_INSUFFICIENT_SIZE;
	for (unsigned i = 0; i < found; i++) pages[i] = i;
	return r;
}

// --- events

typedef struct { u64 delivered; char registered[MAX_GPUS]; } event_set;

// next_xid finds the first entry of "xids" above after, in the file as it is now, and
// returns its number or 0; with last it finds the last. It leaves the values alone.
static u64 next_xid(u64 after, int last, int *gpu, u64 *code) {
	const char *path = getenv("FAKE_NVML");
	FILE *f = path ? fopen(path, "r") : NULL;
	char line[MAX_KEY + MAX_VALUE], key[MAX_KEY], value[MAX_VALUE], *save = NULL;
	u64 found = 0, seq, x;
	int g;
	while (f && fgets(line, sizeof line, f)) {
		if (!parse(line, key, value) || strcmp(key, "xids")) continue;
		for (char *t = strtok_r(value, " ", &save); t; t = strtok_r(NULL, " ", &save))
			if (sscanf(t, "%llu:%d:%llu", &seq, &g, &x) == 3 && seq > after && (!found || last)) found = seq, *gpu = g, *code = x;
	}
	if (f) fclose(f);
	return found;
}

R nvmlEventSetCreate(nvmlEventSet_t *out) {
	u64 n, code;
	int gpu;
	R r = num(-1, "events", "0", &n);
	if (r) return r;
	event_set *s = calloc(1, sizeof *s);
	s->delivered = next_xid(0, 1, &gpu, &code);
	out->handle = (void *)s;
	note("eventset");
	return r;
}
R nvmlEventSetFree(nvmlEventSet_t set) {
	free((void *)set.handle);
	note("eventset-free");
	return NVML_SUCCESS;
}
CALL(nvmlDeviceGetSupportedEventTypes, u64, "events.types", "0x1b")
R nvmlDeviceRegisterEvents(nvmlDevice_t d, u64 types, nvmlEventSet_t set) {
	u64 n;
	R r = num(idx(d), "events.register", "0", &n);
	if (!r && types & nvmlEventTypeXidCriticalError) ((event_set *)set.handle)->registered[idx(d)] = 1;
	return r;
}
static R wait_event(nvmlEventSet_t set, nvmlEventData_t *data, unsigned ms) {
	event_set *s = (event_set *)set.handle;
	u64 n, seq, code;
	int gpu;
	for (unsigned waited = 0;; waited += 5, usleep(5000)) {
		R r = num(-1, "events.wait", "0", &n);
		if (r) return r;
		while ((seq = next_xid(s->delivered, 0, &gpu, &code))) {
			s->delivered = seq;
			if (gpu < 0 || gpu >= MAX_GPUS || !s->registered[gpu]) continue;
			*data = (nvmlEventData_t){.eventType = nvmlEventTypeXidCriticalError, .eventData = code, .gpuInstanceId = ~0u, .computeInstanceId = ~0u};
			data->device.handle = (void *)&handles[gpu];
			return NVML_SUCCESS;
		}
		if (waited >= ms) return NVML_ERROR_TIMEOUT;
	}
}
#if DRIVER >= 450
R nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned ms) { return wait_event(set, data, ms); }
#else
R nvmlEventSetWait(nvmlEventSet_t set, nvmlEventData_t *data, unsigned ms) { return wait_event(set, data, ms); }
#endif

#endif // DRIVER > 0
#endif // NOT_NVML
