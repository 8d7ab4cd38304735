-- The database's schema as all migrations leave it, written from a migrated database: read it, and
-- change it by a new migration. "make schema" writes it anew; a test fails while it is stale.
-- Left out: the tables of goose and River, and partitions that are made as time passes.

CREATE TABLE api_tokens (
	token_hash bytea NOT NULL,
	token_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	name text NOT NULL,
	scope text NOT NULL,
	wallet_address text,
	created_at timestamp with time zone NOT NULL,
	used_at timestamp with time zone,
	expires_at timestamp with time zone,
	CONSTRAINT api_tokens_token_id_key UNIQUE (token_id),
	CONSTRAINT api_tokens_pkey PRIMARY KEY (token_hash),
	CONSTRAINT api_tokens_name_has_1_to_100_characters CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
	CONSTRAINT api_tokens_read_is_for_one_wallet CHECK (((scope = 'ingest'::text) OR (wallet_address IS NOT NULL))),
	CONSTRAINT api_tokens_scope_is_known CHECK ((scope = ANY (ARRAY['read'::text, 'ingest'::text]))),
	CONSTRAINT api_tokens_token_hash_is_sha256 CHECK ((octet_length(token_hash) = 32)),
	CONSTRAINT api_tokens_wallet_address_is_address CHECK (is_address(wallet_address))
);
COMMENT ON TABLE api_tokens IS 'Bearer tokens of scripts, hosts and coordinators.';
COMMENT ON COLUMN api_tokens.token_hash IS 'SHA-256 of the token.';
COMMENT ON COLUMN api_tokens.used_at IS 'Written at most once a minute. NULL: never used.';
CREATE INDEX api_tokens_by_expiry ON public.api_tokens USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX api_tokens_of_wallet ON public.api_tokens USING btree (wallet_address, token_id);

CREATE TABLE audit_log (
	event_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	happened_at timestamp with time zone NOT NULL,
	wallet_address text,
	event text NOT NULL,
	detail text NOT NULL,
	actor text NOT NULL,
	client_address text NOT NULL,
	user_agent text NOT NULL,
	CONSTRAINT audit_log_pkey PRIMARY KEY (event_id),
	CONSTRAINT audit_log_actor_is_known CHECK ((actor = ANY (ARRAY['session'::text, 'token'::text, 'local'::text, 'command-line'::text, 'nobody'::text]))),
	CONSTRAINT audit_log_event_is_known CHECK ((event = ANY (ARRAY['sign-in'::text, 'sign-out'::text, 'sign-out-everywhere'::text, 'session-ended'::text, 'token-created'::text, 'token-revoked'::text, 'claim-sent'::text, 'claim-priced'::text, 'sign-in-refused'::text, 'token-refused'::text, 'access-refused'::text]))),
	CONSTRAINT audit_log_wallet_address_is_address CHECK (is_address(wallet_address))
);
COMMENT ON TABLE audit_log IS 'What was done with a wallet''s access and its claims, by whom and from where.';
COMMENT ON COLUMN audit_log.actor IS 'What somebody proved who they were with; nobody: with nothing.';
CREATE INDEX audit_log_by_time ON public.audit_log USING btree (happened_at);
CREATE INDEX audit_log_of_refusals ON public.audit_log USING btree (happened_at) WHERE (event = ANY (ARRAY['sign-in-refused'::text, 'token-refused'::text, 'access-refused'::text]));
CREATE INDEX audit_log_of_wallet ON public.audit_log USING btree (wallet_address, event_id DESC);

CREATE TABLE chain_blocks (
	block_number bigint NOT NULL,
	block_hash text NOT NULL,
	block_time timestamp with time zone NOT NULL,
	CONSTRAINT chain_blocks_pkey PRIMARY KEY (block_number),
	CONSTRAINT chain_blocks_block_hash_is_felt CHECK (is_felt(block_hash))
);
COMMENT ON TABLE chain_blocks IS 'Blocks up to which events have been read, dense at the end and sparse before, by which a reorganisation is found.';

CREATE TABLE chain_events (
	block_number bigint NOT NULL,
	block_hash text NOT NULL,
	block_time timestamp with time zone NOT NULL,
	tx_hash text NOT NULL,
	contract_address text NOT NULL,
	event_index integer NOT NULL,
	place integer NOT NULL,
	name text,
	problem text,
	keys text[] NOT NULL,
	data text[] NOT NULL,
	by_receipt boolean NOT NULL DEFAULT false,
	CONSTRAINT chain_events_pkey PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
	CONSTRAINT chain_events_block_hash_is_felt CHECK (is_felt(block_hash)),
	CONSTRAINT chain_events_contract_address_is_address CHECK (is_address(contract_address)),
	CONSTRAINT chain_events_tx_hash_is_felt CHECK (is_felt(tx_hash))
);
COMMENT ON TABLE chain_events IS 'Every event of the indexed contracts, raw.';
COMMENT ON COLUMN chain_events.event_index IS 'Of the event in its transaction''s receipt, from 0, where by_receipt.';
COMMENT ON COLUMN chain_events.place IS 'The transaction''s index in the block times 4096, plus event_index, where by_receipt.';
COMMENT ON COLUMN chain_events.by_receipt IS 'event_index is the event''s index in its transaction''s receipt, and place grows with its position in the block; else both number the contract''s events as they were first told.';

CREATE TABLE chain_index (
	only_row boolean NOT NULL DEFAULT true,
	chain_id text NOT NULL,
	head_number bigint,
	head_hash text,
	head_time timestamp with time zone,
	swept_at timestamp with time zone,
	failure text,
	reorgs bigint NOT NULL DEFAULT 0,
	CONSTRAINT chain_index_pkey PRIMARY KEY (only_row),
	CONSTRAINT chain_index_has_one_row CHECK (only_row),
	CONSTRAINT chain_index_head_is_whole CHECK ((num_nulls(head_number, head_hash, head_time) = ANY (ARRAY[0, 3])))
);
COMMENT ON TABLE chain_index IS 'Of which chain the events are, and how reading them goes.';
COMMENT ON COLUMN chain_index.swept_at IS 'When reading events was last tried.';
COMMENT ON COLUMN chain_index.failure IS 'Why no more events are read, for people; NULL while they are.';

CREATE TABLE chain_index_contracts (
	contract_address text NOT NULL,
	name text NOT NULL,
	first_block bigint NOT NULL,
	start text NOT NULL,
	block_number bigint,
	block_hash text,
	block_time timestamp with time zone,
	first_time timestamp with time zone,
	settled_block bigint,
	CONSTRAINT chain_index_contracts_pkey PRIMARY KEY (contract_address),
	CONSTRAINT chain_index_contracts_block_is_whole CHECK ((num_nulls(block_number, block_hash, block_time) = ANY (ARRAY[0, 3]))),
	CONSTRAINT chain_index_contracts_contract_address_is_address CHECK (is_address(contract_address)),
	CONSTRAINT chain_index_contracts_start_is_known CHECK ((start = ANY (ARRAY['configured'::text, 'deployment'::text, 'first_block'::text])))
);
COMMENT ON TABLE chain_index_contracts IS 'The last block of which each contract''s events have been read; NULL before the first.';
COMMENT ON COLUMN chain_index_contracts.first_block IS 'The first block whose events are read.';
COMMENT ON COLUMN chain_index_contracts.start IS 'configured: by the setting. deployment: the block of the contract''s deployment. first_block: no node could say when it was deployed.';
COMMENT ON COLUMN chain_index_contracts.settled_block IS 'The last block whose events were read, or read again, when it was old; NULL before the first.';

CREATE TABLE chain_payments (
	block_number bigint NOT NULL,
	block_hash text NOT NULL,
	block_time timestamp with time zone NOT NULL,
	tx_hash text NOT NULL,
	contract_address text NOT NULL,
	event_index integer NOT NULL,
	place integer NOT NULL,
	worker_address text NOT NULL,
	kind text NOT NULL,
	job_id text NOT NULL,
	amount numeric(78,0) NOT NULL,
	private boolean NOT NULL,
	paid_at timestamp with time zone,
	CONSTRAINT chain_payments_pkey PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
	CONSTRAINT chain_payments_amount_is_u256 CHECK (is_u256(amount)),
	CONSTRAINT chain_payments_kind_is_known CHECK ((kind = ANY (ARRAY['released'::text, 'paid'::text]))),
	CONSTRAINT chain_payments_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE chain_payments IS 'Payments for jobs: released by JobManager, paid net of fees by PaymentRouter.';
COMMENT ON COLUMN chain_payments.private IS 'The amount is hidden by the contract and 0 here.';
CREATE INDEX chain_payments_of_job ON public.chain_payments USING btree (job_id);
CREATE INDEX chain_payments_of_worker ON public.chain_payments USING btree (worker_address, block_number DESC, place DESC);
CREATE TRIGGER forget_payments AFTER TRUNCATE ON chain_payments FOR EACH STATEMENT EXECUTE FUNCTION forget_payments();
CREATE TRIGGER note_payments_delete_of_chain_payments AFTER DELETE ON chain_payments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_delete_of_chain_payments();
CREATE TRIGGER note_payments_insert_of_chain_payments AFTER INSERT ON chain_payments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_insert_of_chain_payments();
CREATE TRIGGER note_payments_update_of_chain_payments AFTER UPDATE ON chain_payments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_update_of_chain_payments();

CREATE TABLE claim_prices (
	address text NOT NULL,
	tx_hash text NOT NULL,
	currency text NOT NULL,
	price numeric NOT NULL,
	source text NOT NULL,
	observed_at timestamp with time zone NOT NULL,
	by_hand boolean NOT NULL,
	CONSTRAINT claim_prices_pkey PRIMARY KEY (address, tx_hash),
	CONSTRAINT claim_prices_address_is_address CHECK (is_address(address)),
	CONSTRAINT claim_prices_price_is_above_0 CHECK (((price > (0)::numeric) AND (price <> 'NaN'::numeric) AND (price <> 'Infinity'::numeric))),
	CONSTRAINT claim_prices_tx_hash_is_felt CHECK (is_felt(tx_hash))
);
COMMENT ON TABLE claim_prices IS 'What one SAGE was worth when a claim arrived. A claim without a known price has no row.';

CREATE VIEW counted_jobs AS
 SELECT jobs.job_id,
    jobs.worker_address,
    jobs.job_type,
    jobs.status,
    jobs.payment_amount,
    jobs.created_at,
    jobs.assigned_at,
    jobs.completed_at,
        CASE
            WHEN jobs.kept_apart IS NULL THEN jobs.execution_time_ms
            ELSE NULL::bigint
        END AS execution_time_ms
   FROM jobs
  WHERE jobs.kept_apart IS DISTINCT FROM 'ahead'::text;
COMMENT ON VIEW counted_jobs IS 'Jobs without what is kept apart of them.';

CREATE VIEW counted_reports AS
 SELECT reported_jobs.job_id,
    reported_jobs.worker_address,
    reported_jobs.job_type,
    reported_jobs.status,
    reported_jobs.payment_amount,
    reported_jobs.created_at,
    reported_jobs.assigned_at,
    reported_jobs.completed_at,
        CASE
            WHEN reported_jobs.kept_apart IS NULL THEN reported_jobs.execution_time_ms
            ELSE NULL::bigint
        END AS execution_time_ms,
    reported_jobs.paid_at
   FROM reported_jobs
  WHERE NOT reported_jobs.superseded AND reported_jobs.kept_apart IS DISTINCT FROM 'ahead'::text;
COMMENT ON VIEW counted_reports IS 'Reports as the sums of their wallets take them.';

CREATE TABLE earning_days (
	worker_address text NOT NULL,
	day date NOT NULL,
	jobs bigint NOT NULL,
	amount_wei numeric NOT NULL,
	folded boolean NOT NULL DEFAULT false,
	kind text NOT NULL DEFAULT 'job'::text,
	self_reported boolean NOT NULL DEFAULT false,
	CONSTRAINT earning_days_kind_is_known CHECK ((kind = ANY (ARRAY['job'::text, 'staking'::text, 'mining'::text, 'bonus'::text, 'payout'::text])))
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE earning_days IS 'Deltas whose sums are earnings per worker, UTC day and kind.';
COMMENT ON COLUMN earning_days.amount_wei IS 'In wei (10^-18 SAGE).';
COMMENT ON COLUMN earning_days.folded IS 'Whether the row is a merged sum and not a delta.';
COMMENT ON COLUMN earning_days.kind IS 'job: payments of completed jobs. Else confirmed claims; payout is a claim that pays out what jobs had earned, so it is no earning.';
COMMENT ON COLUMN earning_days.self_reported IS 'Only the worker says so.';
CREATE INDEX earning_days_of_worker ON public.earning_days USING btree (worker_address, kind, day) INCLUDE (jobs, amount_wei);
CREATE INDEX earning_days_unfolded ON public.earning_days USING btree (worker_address, kind, day) WHERE (NOT folded);

CREATE TABLE gpu_energy_changes (
	worker_address text NOT NULL,
	gpu_uuid text NOT NULL,
	hour timestamp with time zone NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE gpu_energy_changes IS 'Hours whose samples have changed since their energy was last integrated.';

CREATE TABLE gpu_energy_days (
	worker_address text NOT NULL,
	day date NOT NULL,
	gpu_uuid text NOT NULL,
	joules double precision NOT NULL,
	covered_seconds double precision NOT NULL,
	CONSTRAINT gpu_energy_days_pkey PRIMARY KEY (worker_address, day, gpu_uuid)
);
COMMENT ON TABLE gpu_energy_days IS 'Energy of GPUs by UTC day: the sums of their hours.';
COMMENT ON COLUMN gpu_energy_days.covered_seconds IS 'Seconds of the day between two samples near enough to count.';

CREATE TABLE gpu_energy_hours (
	worker_address text NOT NULL,
	gpu_uuid text NOT NULL,
	hour timestamp with time zone NOT NULL,
	joules double precision NOT NULL DEFAULT 0,
	covered_seconds double precision NOT NULL DEFAULT 0,
	due smallint NOT NULL DEFAULT 1,
	CONSTRAINT gpu_energy_hours_pkey PRIMARY KEY (worker_address, gpu_uuid, hour)
);
COMMENT ON TABLE gpu_energy_hours IS 'Energy of GPUs by hour, integrated over their samples.';
COMMENT ON COLUMN gpu_energy_hours.covered_seconds IS 'Seconds of the hour between two samples near enough to count.';
COMMENT ON COLUMN gpu_energy_hours.due IS '0: done. 1: to be integrated. 2: being integrated, or left so by a run that was interrupted.';
CREATE INDEX gpu_energy_hours_due ON public.gpu_energy_hours USING btree (due, hour) WHERE (due > 0);

CREATE TABLE gpu_events (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	gpu_uuid text NOT NULL,
	kind text NOT NULL,
	code bigint NOT NULL DEFAULT 0,
	severity text NOT NULL,
	detail text NOT NULL DEFAULT ''::text,
	source text NOT NULL,
	occurred_at timestamp with time zone NOT NULL,
	last_at timestamp with time zone NOT NULL,
	count bigint NOT NULL DEFAULT 1,
	boot_id text NOT NULL DEFAULT ''::text,
	watcher text NOT NULL,
	sequence bigint NOT NULL,
	stored_at timestamp with time zone NOT NULL DEFAULT now(),
	CONSTRAINT gpu_events_pkey PRIMARY KEY (worker_address, gpu_uuid, watcher, sequence),
	CONSTRAINT gpu_events_count_is_1_or_more CHECK ((count >= 1)),
	CONSTRAINT gpu_events_ends_after_it_begins CHECK ((last_at >= occurred_at)),
	CONSTRAINT gpu_events_kind_is_a_word CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
	CONSTRAINT gpu_events_occurred_at_is_plausible CHECK (is_plausible_time(occurred_at)),
	CONSTRAINT gpu_events_severity_is_known CHECK ((severity = ANY (ARRAY['good'::text, 'neutral'::text, 'warning'::text, 'critical'::text]))),
	CONSTRAINT gpu_events_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE gpu_events IS 'Events of GPUs: errors that the driver reported, cards that were lost and found. One row an incident.';
COMMENT ON COLUMN gpu_events.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_events.worker_id IS 'The host that the GPU was in, by its own name.';
COMMENT ON COLUMN gpu_events.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_events.kind IS 'xid: the driver reported an error; lost: the GPU could no longer be read; found: it could be again.';
COMMENT ON COLUMN gpu_events.code IS 'Of an xid its number in NVIDIA''s catalogue; 0 for kinds without.';
COMMENT ON COLUMN gpu_events.severity IS 'good, neutral, warning or critical, as the program judged when it stored the event.';
COMMENT ON COLUMN gpu_events.detail IS 'In words, where the kind has any: of a loss, why.';
COMMENT ON COLUMN gpu_events.source IS 'nvml_event_set: NVML''s events; nvml_reading: two readings that differ; counters: a counter that grew.';
COMMENT ON COLUMN gpu_events.occurred_at IS 'When it was seen first, by the clock of the host that saw it. NVML''s events bear no time.';
COMMENT ON COLUMN gpu_events.last_at IS 'When it was seen last: an error that comes again within a minute is the same incident.';
COMMENT ON COLUMN gpu_events.count IS 'How often it was seen from occurred_at to last_at.';
COMMENT ON COLUMN gpu_events.boot_id IS 'The boot of the host''s kernel; empty where the system has none.';
COMMENT ON COLUMN gpu_events.watcher IS 'The run of the program that saw it: with sequence it names the event, so that it is stored once.';
COMMENT ON COLUMN gpu_events.sequence IS 'The event''s number in that run, from 1.';
COMMENT ON COLUMN gpu_events.stored_at IS 'When the row was written, by the database''s clock.';
CREATE INDEX gpu_events_by_age ON public.gpu_events USING btree (last_at);
CREATE INDEX gpu_events_of_card ON public.gpu_events USING btree (worker_address, gpu_uuid, last_at DESC);

CREATE TABLE gpu_hours (
	worker_address text NOT NULL,
	gpu_uuid text NOT NULL,
	hour timestamp with time zone NOT NULL,
	utilization_samples bigint NOT NULL,
	utilization_sum bigint,
	utilization_min integer,
	utilization_max integer,
	memory_samples bigint NOT NULL,
	memory_sum numeric,
	memory_min bigint,
	memory_max bigint,
	temperature_samples bigint NOT NULL,
	temperature_sum bigint,
	temperature_min integer,
	temperature_max integer,
	power_samples bigint NOT NULL,
	power_sum numeric,
	power_min bigint,
	power_max bigint,
	throttle_reasons bigint NOT NULL,
	CONSTRAINT gpu_hours_pkey PRIMARY KEY (worker_address, gpu_uuid, hour)
);
COMMENT ON TABLE gpu_hours IS 'Sums of the GPU samples that were dropped for their age, by hour.';

CREATE TABLE gpu_samples (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	gpu_uuid text NOT NULL,
	sampled_at timestamp with time zone NOT NULL,
	utilization_percent integer,
	memory_activity_percent integer,
	memory_used_bytes bigint,
	memory_total_bytes bigint,
	temperature_c integer,
	memory_temperature_c integer,
	power_milliwatts bigint,
	power_limit_milliwatts bigint,
	sm_clock_mhz bigint,
	fan_percent bigint,
	throttle_reasons bigint,
	CONSTRAINT gpu_samples_pkey PRIMARY KEY (worker_address, gpu_uuid, sampled_at, worker_id),
	CONSTRAINT gpu_samples_memory_activity_percent_is_0_to_100 CHECK (((memory_activity_percent >= 0) AND (memory_activity_percent <= 100))),
	CONSTRAINT gpu_samples_memory_is_0_or_more CHECK (((memory_used_bytes >= 0) AND (memory_total_bytes >= 0))),
	CONSTRAINT gpu_samples_utilization_percent_is_0_to_100 CHECK (((utilization_percent >= 0) AND (utilization_percent <= 100))),
	CONSTRAINT gpu_samples_worker_address_is_address CHECK (is_address(worker_address))
) PARTITION BY RANGE (sampled_at);
COMMENT ON TABLE gpu_samples IS 'History of GPU samples, one partition per UTC day.';
CREATE TRIGGER note_gpu_energy AFTER INSERT ON gpu_samples REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_gpu_energy();

CREATE TABLE gpu_throttles (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	gpu_uuid text NOT NULL,
	reason bigint NOT NULL,
	began_after timestamp with time zone,
	began_at timestamp with time zone NOT NULL,
	last_at timestamp with time zone NOT NULL,
	ended_before timestamp with time zone,
	pauses integer NOT NULL DEFAULT 0,
	CONSTRAINT gpu_throttles_pkey PRIMARY KEY (worker_address, gpu_uuid, reason, began_at, worker_id),
	CONSTRAINT gpu_throttles_began_at_is_plausible CHECK (is_plausible_time(began_at)),
	CONSTRAINT gpu_throttles_times_are_in_order CHECK (((began_after < began_at) AND (began_at <= last_at) AND (last_at < ended_before))),
	CONSTRAINT gpu_throttles_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE gpu_throttles IS 'Stretches of time in which every reading of a GPU gave one reason that slowed it.';
COMMENT ON COLUMN gpu_throttles.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_throttles.worker_id IS 'The host that read the GPU, by its own name.';
COMMENT ON COLUMN gpu_throttles.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_throttles.reason IS 'One bit of nvmlClocksEventReasons: heat, a power brake or a hardware slowdown.';
COMMENT ON COLUMN gpu_throttles.began_after IS 'The reading before it: it began after that one. Null where none was near enough to tell.';
COMMENT ON COLUMN gpu_throttles.began_at IS 'The first reading that gives the reason.';
COMMENT ON COLUMN gpu_throttles.last_at IS 'The last reading that gives the reason; it grows while the reason stays.';
COMMENT ON COLUMN gpu_throttles.ended_before IS 'The reading after it: it ended before that one. Null while the reason stays, and where readings stopped.';
COMMENT ON COLUMN gpu_throttles.pauses IS 'How often the reason went away for less than ten seconds, which does not end it.';
CREATE INDEX gpu_throttles_by_age ON public.gpu_throttles USING btree (last_at);
CREATE INDEX gpu_throttles_of_card ON public.gpu_throttles USING btree (worker_address, gpu_uuid, last_at);

CREATE TABLE gpu_watches (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	gpu_uuid text NOT NULL,
	watcher text NOT NULL,
	watched_from timestamp with time zone NOT NULL,
	watched_to timestamp with time zone NOT NULL,
	CONSTRAINT gpu_watches_pkey PRIMARY KEY (worker_address, gpu_uuid, watcher, watched_from),
	CONSTRAINT gpu_watches_ends_after_it_begins CHECK ((watched_to >= watched_from)),
	CONSTRAINT gpu_watches_watched_from_is_plausible CHECK (is_plausible_time(watched_from)),
	CONSTRAINT gpu_watches_worker_address_is_address CHECK (is_address(worker_address))
) WITH (fillfactor=80);
COMMENT ON TABLE gpu_watches IS 'In which times the errors that the driver reports for a GPU were waited for without a break. Outside of them no event does not mean no error.';
COMMENT ON COLUMN gpu_watches.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_watches.worker_id IS 'The host that the GPU was in, by its own name.';
COMMENT ON COLUMN gpu_watches.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_watches.watcher IS 'The run of the program that waited, as in gpu_events.';
COMMENT ON COLUMN gpu_watches.watched_from IS 'When the driver took the wish for this GPU''s events, or waiting for them worked again.';
COMMENT ON COLUMN gpu_watches.watched_to IS 'Up to when the wait is known to have gone on: it grows while it does.';

CREATE TABLE heartbeat_changes (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	hour timestamp with time zone NOT NULL,
	beats integer[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE heartbeat_changes IS 'Deltas of heartbeats, not merged into heartbeat_hours yet.';
COMMENT ON COLUMN heartbeat_changes.beats IS 'By minute of the hour, from 1 to 60: heartbeats that came, less those that went.';
CREATE INDEX heartbeat_changes_of_host ON public.heartbeat_changes USING btree (worker_address, hour, worker_id);

CREATE TABLE heartbeat_days (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	day date NOT NULL,
	minutes integer NOT NULL,
	within smallint[] NOT NULL DEFAULT '{}'::smallint[],
	CONSTRAINT heartbeat_days_pkey PRIMARY KEY (worker_address, day, worker_id)
) WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE heartbeat_days IS 'How many minutes of each day a host was heard in. A day that only heartbeats of the one before reach into has 0.';
COMMENT ON COLUMN heartbeat_days.within IS 'From 1 to 60: within[n] minutes of the day had a heartbeat in them or in the n minutes before.';
CREATE INDEX heartbeat_days_of_host ON public.heartbeat_days USING btree (worker_address, worker_id, day);

CREATE TABLE heartbeat_hours (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	hour timestamp with time zone NOT NULL,
	minutes bigint NOT NULL,
	beats integer[],
	CONSTRAINT heartbeat_hours_pkey PRIMARY KEY (worker_address, hour, worker_id)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE heartbeat_hours IS 'The minutes of each hour in which a host was heard; see uptime_hours.';
COMMENT ON COLUMN heartbeat_hours.minutes IS 'Bit n is minute n: whether the host was heard in it.';
COMMENT ON COLUMN heartbeat_hours.beats IS 'Heartbeats by minute, from 1 to 60; NULL once single heartbeats of the hour are no longer kept.';
CREATE INDEX heartbeat_hours_counted ON public.heartbeat_hours USING btree (hour) WHERE (beats IS NOT NULL);

CREATE TABLE heartbeats (
	worker_address text NOT NULL,
	worker_id text NOT NULL DEFAULT ''::text,
	heartbeat_time timestamp with time zone NOT NULL DEFAULT now(),
	gpu_count integer,
	gpu_utilization_avg double precision,
	memory_utilization_avg double precision,
	jobs_in_progress integer,
	latency_ms integer,
	version text,
	CONSTRAINT heartbeats_pkey1 PRIMARY KEY (worker_address, heartbeat_time, worker_id),
	CONSTRAINT heartbeats_gpu_count_is_0_or_more CHECK ((gpu_count >= 0)),
	CONSTRAINT heartbeats_gpu_utilization_avg_is_0_to_100 CHECK (((gpu_utilization_avg >= (0)::double precision) AND (gpu_utilization_avg <= (100)::double precision))),
	CONSTRAINT heartbeats_heartbeat_time_is_plausible CHECK (is_plausible_time(heartbeat_time)),
	CONSTRAINT heartbeats_jobs_in_progress_is_0_or_more CHECK ((jobs_in_progress >= 0)),
	CONSTRAINT heartbeats_latency_ms_is_0_or_more CHECK ((latency_ms >= 0)),
	CONSTRAINT heartbeats_memory_utilization_avg_is_0_to_100 CHECK (((memory_utilization_avg >= (0)::double precision) AND (memory_utilization_avg <= (100)::double precision))),
	CONSTRAINT heartbeats_worker_address_is_address CHECK (is_address(worker_address)),
	CONSTRAINT heartbeats_worker_id_has_at_most_256_characters CHECK ((length(worker_id) <= 256))
) PARTITION BY RANGE (heartbeat_time);
COMMENT ON TABLE heartbeats IS 'Signs of life of workers'' hosts, one partition per UTC week. One row per host and moment; a repeated one is the same heartbeat.';
COMMENT ON COLUMN heartbeats.gpu_utilization_avg IS 'Percent, 0 to 100, average over the host''s GPUs.';
CREATE INDEX heartbeats_of_time ON ONLY public.heartbeats USING btree (heartbeat_time);
CREATE TRIGGER begin_to_forget_heartbeats BEFORE TRUNCATE ON heartbeats FOR EACH STATEMENT EXECUTE FUNCTION begin_to_forget_heartbeats();
CREATE TRIGGER forget_heartbeats AFTER TRUNCATE ON heartbeats FOR EACH STATEMENT EXECUTE FUNCTION forget_heartbeats();
CREATE TRIGGER heartbeats_normalise_felts BEFORE INSERT OR UPDATE ON heartbeats FOR EACH ROW WHEN (NOT is_address(new.worker_address)) EXECUTE FUNCTION normalise_felts('worker_address');
CREATE TRIGGER heartbeats_of_times_to_come BEFORE INSERT OR UPDATE ON heartbeats FOR EACH ROW WHEN (new.heartbeat_time > latest_time()) EXECUTE FUNCTION keep_heartbeat_apart();
CREATE TRIGGER roll_up_delete_of_heartbeats AFTER DELETE ON heartbeats REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_delete_of_heartbeats();
CREATE TRIGGER roll_up_insert_of_heartbeats AFTER INSERT ON heartbeats REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_insert_of_heartbeats();
CREATE TRIGGER roll_up_update_of_heartbeats AFTER UPDATE ON heartbeats REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_update_of_heartbeats();

CREATE TABLE heartbeats_ahead (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	heartbeat_time timestamp with time zone NOT NULL,
	received_at timestamp with time zone NOT NULL,
	CONSTRAINT heartbeats_ahead_pkey PRIMARY KEY (worker_address, worker_id)
);
COMMENT ON TABLE heartbeats_ahead IS 'The newest heartbeat of each host whose time was more than 5 minutes ahead of the database''s clock when it was written. None of them is in heartbeats.';
COMMENT ON COLUMN heartbeats_ahead.received_at IS 'By the database''s clock.';

CREATE TABLE ingest_days (
	worker_address text NOT NULL,
	day date NOT NULL,
	rows bigint NOT NULL,
	bytes bigint NOT NULL,
	CONSTRAINT ingest_days_pkey PRIMARY KEY (worker_address, day)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE ingest_days IS 'What workers sent through the API with tokens of their own, which have a quota.';
COMMENT ON COLUMN ingest_days.rows IS 'Jobs, heartbeats and samples of cards, whether they were new or not.';
COMMENT ON COLUMN ingest_days.bytes IS 'Of the bodies of their requests.';

CREATE TABLE job_days (
	worker_address text NOT NULL,
	day date NOT NULL,
	job_type text NOT NULL,
	status text NOT NULL,
	jobs bigint NOT NULL,
	execution_ms numeric NOT NULL,
	folded boolean NOT NULL DEFAULT false,
	self_reported boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE job_days IS 'Deltas whose sums count jobs per worker, UTC day of their end, type and state.';
COMMENT ON COLUMN job_days.worker_address IS 'Empty: jobs without a worker.';
COMMENT ON COLUMN job_days.folded IS 'Whether the row is a merged sum and not a delta.';
COMMENT ON COLUMN job_days.self_reported IS 'Only the worker says so.';
CREATE INDEX job_days_of_worker ON public.job_days USING btree (worker_address, day, job_type, status);
CREATE INDEX job_days_unfolded ON public.job_days USING btree (worker_address, day, job_type, status) WHERE (NOT folded);

CREATE TABLE job_hours (
	worker_address text NOT NULL,
	hour timestamp with time zone NOT NULL,
	submitted bigint NOT NULL,
	paid bigint NOT NULL,
	amount_wei numeric NOT NULL,
	folded boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE job_hours IS 'Deltas whose sums are what a worker was given and paid per hour.';
COMMENT ON COLUMN job_hours.submitted IS 'Jobs that were created in the hour.';
COMMENT ON COLUMN job_hours.paid IS 'Completed jobs with a payment that ended in the hour.';
COMMENT ON COLUMN job_hours.amount_wei IS 'The sum of their payments, in wei.';
COMMENT ON COLUMN job_hours.folded IS 'Whether the row is a merged sum and not a delta.';
CREATE INDEX job_hours_of_worker ON public.job_hours USING btree (worker_address, hour) INCLUDE (submitted, paid, amount_wei);
CREATE INDEX job_hours_unfolded ON public.job_hours USING btree (worker_address, hour) WHERE (NOT folded);

CREATE TABLE job_totals (
	worker_address text NOT NULL,
	job_type text NOT NULL,
	status text NOT NULL,
	jobs bigint NOT NULL,
	execution_ms numeric NOT NULL,
	completion_ms numeric NOT NULL,
	completion_jobs bigint NOT NULL,
	folded boolean NOT NULL DEFAULT false,
	self_reported boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE job_totals IS 'Deltas whose sums count jobs per worker, type and state. Maintenance merges them into rows that are folded.';
COMMENT ON COLUMN job_totals.worker_address IS 'Empty: jobs without a worker.';
COMMENT ON COLUMN job_totals.execution_ms IS 'Of completed jobs, the sum of their execution times.';
COMMENT ON COLUMN job_totals.completion_ms IS 'Of completed jobs, the sum of their durations; see job_duration_ms.';
COMMENT ON COLUMN job_totals.completion_jobs IS 'How many jobs completion_ms sums up.';
COMMENT ON COLUMN job_totals.folded IS 'Whether the row is a merged sum and not a delta.';
COMMENT ON COLUMN job_totals.self_reported IS 'Only the worker says so. Times of reports are under true even when the chain has paid.';
CREATE INDEX job_totals_completed ON public.job_totals USING btree (status) INCLUDE (jobs, execution_ms, completion_ms, completion_jobs) WHERE ((status = 'completed'::text) AND (NOT self_reported));
CREATE INDEX job_totals_of_worker ON public.job_totals USING btree (worker_address, job_type, status);
CREATE INDEX job_totals_unfolded ON public.job_totals USING btree (worker_address, job_type, status) WHERE (NOT folded);

CREATE TABLE jobs (
	job_id text NOT NULL,
	client_address text,
	worker_address text,
	job_type text NOT NULL DEFAULT ''::text,
	status text NOT NULL DEFAULT 'pending'::text,
	payment_amount numeric(78,0),
	created_at timestamp with time zone NOT NULL DEFAULT now(),
	assigned_at timestamp with time zone,
	completed_at timestamp with time zone,
	execution_time_ms bigint,
	result_hash text,
	error_message text,
	gpu_uuid text,
	tx_hash text,
	block_number bigint,
	updated_at timestamp with time zone,
	kept_apart text,
	CONSTRAINT jobs_pkey PRIMARY KEY (job_id),
	CONSTRAINT jobs_assigned_at_is_plausible CHECK (is_plausible_time(assigned_at)),
	CONSTRAINT jobs_block_number_is_0_or_more CHECK ((block_number >= 0)),
	CONSTRAINT jobs_client_address_is_address CHECK (is_address(client_address)),
	CONSTRAINT jobs_completed_at_is_plausible CHECK (is_plausible_time(completed_at)),
	CONSTRAINT jobs_created_at_is_plausible CHECK (is_plausible_time(created_at)),
	CONSTRAINT jobs_execution_time_ms_is_0_or_more CHECK (((execution_time_ms >= 0) AND (execution_time_ms <= '9223372036854'::bigint))),
	CONSTRAINT jobs_job_id_has_1_to_256_characters CHECK (((length(job_id) >= 1) AND (length(job_id) <= 256))),
	CONSTRAINT jobs_payment_amount_is_u256 CHECK (is_u256(payment_amount)),
	CONSTRAINT jobs_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'assigned'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'timeout'::text]))),
	CONSTRAINT jobs_tx_hash_is_felt CHECK (is_felt(tx_hash)),
	CONSTRAINT jobs_updated_at_is_plausible CHECK (is_plausible_time(updated_at)),
	CONSTRAINT jobs_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE jobs IS 'Jobs of the network, written by the coordinator. A column is NULL while it is not known.';
COMMENT ON COLUMN jobs.worker_address IS 'Any form of an address is accepted and stored as 0x and 64 lower-case hex digits.';
COMMENT ON COLUMN jobs.payment_amount IS 'In wei (10^-18 SAGE), exact. NULL while not known: never 0 for that.';
COMMENT ON COLUMN jobs.updated_at IS 'When what the row says became so, by the clock of whoever wrote it; see job_is_newer. NULL while not known.';
COMMENT ON COLUMN jobs.kept_apart IS 'The database sets it. ahead: a time is over 5 minutes ahead of the database''s clock, so the job is in no sum. execution: execution_time_ms is longer than from the begin to the end, so it is not summed. NULL: all of the job counts.';
CREATE INDEX jobs_ahead ON public.jobs USING btree (GREATEST(created_at, assigned_at, completed_at)) WHERE (kept_apart = 'ahead'::text);
CREATE INDEX jobs_completed ON public.jobs USING btree (COALESCE(completed_at, created_at)) INCLUDE (completed_at, created_at) WHERE (status = 'completed'::text);
CREATE INDEX jobs_earned ON public.jobs USING btree (worker_address, COALESCE(completed_at, created_at) DESC, job_id DESC) INCLUDE (payment_amount, completed_at, created_at) WHERE ((status = 'completed'::text) AND (payment_amount IS NOT NULL));
CREATE INDEX jobs_kept_apart ON public.jobs USING btree (worker_address, kept_apart) WHERE (kept_apart IS NOT NULL);
CREATE INDEX jobs_of_kind_by_duration ON public.jobs USING btree (worker_address, status, job_type, job_duration_ms(execution_time_ms, assigned_at, completed_at), job_id);
CREATE INDEX jobs_of_kind_by_payment ON public.jobs USING btree (worker_address, status, job_type, payment_amount, job_id);
CREATE INDEX jobs_of_worker ON public.jobs USING btree (worker_address, created_at DESC, job_id DESC);
CREATE INDEX jobs_of_worker_by_client ON public.jobs USING btree (worker_address, client_address, created_at DESC, job_id DESC) WHERE (client_address IS NOT NULL);
CREATE INDEX jobs_of_worker_by_gpu ON public.jobs USING btree (worker_address, gpu_uuid, created_at DESC, job_id DESC) WHERE (gpu_uuid IS NOT NULL);
CREATE INDEX jobs_of_worker_by_id ON public.jobs USING btree (worker_address, job_id text_pattern_ops);
CREATE INDEX jobs_of_worker_by_status ON public.jobs USING btree (worker_address, status, created_at DESC, job_id DESC);
CREATE INDEX jobs_of_worker_by_type ON public.jobs USING btree (worker_address, job_type, created_at DESC, job_id DESC);
CREATE INDEX jobs_with_error_of_worker ON public.jobs USING btree (worker_address, created_at DESC, job_id DESC) WHERE ((status = ANY (ARRAY['failed'::text, 'timeout'::text])) AND (error_message IS NOT NULL));
CREATE TRIGGER forget_payments AFTER TRUNCATE ON jobs FOR EACH STATEMENT EXECUTE FUNCTION forget_payments();
CREATE TRIGGER jobs_count_deleted AFTER DELETE ON jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_inserted AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_truncated AFTER TRUNCATE ON jobs FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_updated AFTER UPDATE ON jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_forget_updated_at BEFORE UPDATE ON jobs FOR EACH ROW WHEN (new.status <> old.status AND new.updated_at = old.updated_at AND current_setting('validator.reporting'::text, true) IS DISTINCT FROM 'on'::text) EXECUTE FUNCTION forget_updated_at();
CREATE TRIGGER jobs_judge BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW WHEN (new.kept_apart IS DISTINCT FROM job_fault(new.status, new.created_at, new.assigned_at, new.completed_at, new.execution_time_ms, latest_time())) EXECUTE FUNCTION judge_job();
CREATE TRIGGER jobs_normalise_felts BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW WHEN (NOT is_address(new.client_address) OR NOT is_address(new.worker_address) OR NOT is_felt(new.tx_hash)) EXECUTE FUNCTION normalise_felts('client_address', 'worker_address', 'tx_hash');
CREATE TRIGGER note_payments_delete_of_jobs AFTER DELETE ON jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_delete_of_jobs();
CREATE TRIGGER note_payments_insert_of_jobs AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_insert_of_jobs();
CREATE TRIGGER note_payments_update_of_jobs AFTER UPDATE ON jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_payments_update_of_jobs();
CREATE TRIGGER refuse_to_forget BEFORE TRUNCATE ON jobs FOR EACH STATEMENT WHEN (current_setting('transaction_isolation'::text) = ANY (ARRAY['repeatable read'::text, 'serializable'::text])) EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER roll_up_delete_of_jobs AFTER DELETE ON jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_delete_of_jobs();
CREATE TRIGGER roll_up_insert_of_jobs AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_insert_of_jobs();
CREATE TRIGGER roll_up_update_of_jobs AFTER UPDATE ON jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_update_of_jobs();
CREATE TRIGGER supersede_reports_on_delete AFTER DELETE ON jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION supersede_reports_on_delete();
CREATE TRIGGER supersede_reports_on_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION supersede_reports_on_insert();
CREATE TRIGGER supersede_reports_on_update AFTER UPDATE ON jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION supersede_reports_on_update();

CREATE TABLE network_hours (
	hour timestamp with time zone NOT NULL,
	submitted bigint NOT NULL,
	completed bigint NOT NULL,
	failed bigint NOT NULL,
	execution_ms numeric NOT NULL,
	folded boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE network_hours IS 'Deltas whose sums count the jobs of all workers per hour.';
COMMENT ON COLUMN network_hours.folded IS 'Whether the row is a merged sum and not a delta.';
CREATE INDEX network_hours_by_hour ON public.network_hours USING btree (hour) INCLUDE (submitted, completed, failed, execution_ms);
CREATE INDEX network_hours_unfolded ON public.network_hours USING btree (hour) WHERE (NOT folded);

CREATE TABLE partitions_dropped (
	table_name text NOT NULL,
	dropped_before timestamp with time zone NOT NULL,
	CONSTRAINT partitions_dropped_pkey PRIMARY KEY (table_name)
);
COMMENT ON TABLE partitions_dropped IS 'Up to which time the partitions of a table have been dropped.';

CREATE TABLE payment_changes (
	worker_address text NOT NULL,
	job_key text NOT NULL,
	jobs bigint NOT NULL DEFAULT 0,
	recorded_wei numeric NOT NULL DEFAULT 0,
	ended_us numeric NOT NULL DEFAULT 0,
	releases bigint NOT NULL DEFAULT 0,
	released_wei numeric NOT NULL DEFAULT 0,
	payments bigint NOT NULL DEFAULT 0,
	paid_wei numeric NOT NULL DEFAULT 0,
	hidden bigint NOT NULL DEFAULT 0,
	told_us numeric NOT NULL DEFAULT 0,
	changed_at timestamp with time zone NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE payment_changes IS 'Deltas of reconciled_jobs, not merged there yet.';
COMMENT ON COLUMN payment_changes.job_key IS 'As in reconciled_jobs.';
COMMENT ON COLUMN payment_changes.changed_at IS 'When the change was written.';
CREATE INDEX payment_changes_of_chain ON public.payment_changes USING btree (worker_address, ((told_us / ((releases + payments))::numeric))) WHERE ((releases + payments) <> 0);

CREATE TABLE reconciled_days (
	worker_address text NOT NULL,
	state text NOT NULL,
	day date NOT NULL,
	jobs bigint NOT NULL,
	recorded_wei numeric NOT NULL,
	chain_wei numeric NOT NULL,
	short_wei numeric NOT NULL,
	CONSTRAINT reconciled_days_pkey PRIMARY KEY (worker_address, state, day)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE reconciled_days IS 'The rows of reconciled_jobs, added up by day.';
COMMENT ON COLUMN reconciled_days.short_wei IS 'What the chain has less than the database, of the jobs of which it has less, in wei.';

CREATE TABLE reconciled_jobs (
	worker_address text NOT NULL,
	job_key text NOT NULL,
	jobs bigint NOT NULL,
	recorded_wei numeric NOT NULL,
	ended_us numeric NOT NULL,
	releases bigint NOT NULL,
	released_wei numeric NOT NULL,
	payments bigint NOT NULL,
	paid_wei numeric NOT NULL,
	hidden bigint NOT NULL,
	told_us numeric NOT NULL,
	chain_wei numeric NOT NULL GENERATED ALWAYS AS (
CASE
    WHEN (payments > 0) THEN paid_wei
    ELSE released_wei
END) STORED,
	at_us bigint NOT NULL GENERATED ALWAYS AS (
CASE
    WHEN (jobs > 0) THEN (ended_us / (jobs)::numeric)
    WHEN ((releases + payments) > 0) THEN (told_us / ((releases + payments))::numeric)
    ELSE (0)::numeric
END) STORED,
	state text NOT NULL GENERATED ALWAYS AS (
CASE
    WHEN ((jobs = 0) AND ((releases + payments) = 0)) THEN 'none'::text
    WHEN (jobs = 0) THEN 'unrecorded'::text
    WHEN (((releases + payments) = 0) AND (recorded_wei = (0)::numeric)) THEN 'free'::text
    WHEN (((releases + payments) = 0) AND (job_number(job_key) IS NULL)) THEN 'unnumbered'::text
    WHEN ((releases + payments) = 0) THEN 'unpaid'::text
    WHEN (hidden > 0) THEN 'hidden'::text
    WHEN (recorded_wei =
    CASE
        WHEN (payments > 0) THEN paid_wei
        ELSE released_wei
    END) THEN 'matched'::text
    ELSE 'different'::text
END) STORED,
	CONSTRAINT reconciled_jobs_pkey PRIMARY KEY (worker_address, job_key)
) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE reconciled_jobs IS 'Each job''s payment as the database and as the chain has it.';
COMMENT ON COLUMN reconciled_jobs.job_key IS 'job_number of the identifier; the identifier itself if it is no number.';
COMMENT ON COLUMN reconciled_jobs.jobs IS 'How many completed jobs with a payment the database has under this key.';
COMMENT ON COLUMN reconciled_jobs.recorded_wei IS 'What the database has, in wei.';
COMMENT ON COLUMN reconciled_jobs.ended_us IS 'The sum of their ends, in microseconds since 1970.';
COMMENT ON COLUMN reconciled_jobs.releases IS 'Payments that JobManager released.';
COMMENT ON COLUMN reconciled_jobs.released_wei IS 'Their sum, in wei.';
COMMENT ON COLUMN reconciled_jobs.payments IS 'Payments by PaymentRouter.';
COMMENT ON COLUMN reconciled_jobs.paid_wei IS 'Their sum net of fees, in wei.';
COMMENT ON COLUMN reconciled_jobs.hidden IS 'Those of them whose amount is private.';
COMMENT ON COLUMN reconciled_jobs.told_us IS 'The sum of the payments'' block times, in microseconds since 1970.';
COMMENT ON COLUMN reconciled_jobs.chain_wei IS 'What the chain has paid: by PaymentRouter if it did, else as JobManager released it.';
COMMENT ON COLUMN reconciled_jobs.at_us IS 'The mean of the ends, or else of the payments'' times.';
COMMENT ON COLUMN reconciled_jobs.state IS 'none: nothing is left of it. unrecorded: the chain has a payment, the database none. free: nothing was to be paid. unnumbered: no contract''s number, so nothing on chain can be its. unpaid: the chain has none. hidden: an amount is not told. matched, different: both have one.';
CREATE INDEX reconciled_jobs_gone ON public.reconciled_jobs USING btree (worker_address) WHERE (state = 'none'::text);
CREATE INDEX reconciled_jobs_of_state ON public.reconciled_jobs USING btree (worker_address, state, at_us DESC, job_key DESC) INCLUDE (recorded_wei, chain_wei);
CREATE TRIGGER roll_up_delete_of_reconciled_jobs AFTER DELETE ON reconciled_jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_delete_of_reconciled_jobs();
CREATE TRIGGER roll_up_insert_of_reconciled_jobs AFTER INSERT ON reconciled_jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_insert_of_reconciled_jobs();
CREATE TRIGGER roll_up_update_of_reconciled_jobs AFTER UPDATE ON reconciled_jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_update_of_reconciled_jobs();

CREATE TABLE report_checks (
	worker_address text NOT NULL,
	job_key text NOT NULL,
	job_id text NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE report_checks IS 'Reports whose superseded has to be decided anew.';

CREATE TABLE reported_jobs (
	job_id text NOT NULL,
	client_address text,
	worker_address text NOT NULL,
	job_type text NOT NULL DEFAULT ''::text,
	status text NOT NULL DEFAULT 'pending'::text,
	payment_amount numeric(78,0),
	created_at timestamp with time zone NOT NULL DEFAULT now(),
	assigned_at timestamp with time zone,
	completed_at timestamp with time zone,
	execution_time_ms bigint,
	result_hash text,
	error_message text,
	gpu_uuid text,
	tx_hash text,
	block_number bigint,
	updated_at timestamp with time zone,
	kept_apart text,
	job_key text NOT NULL GENERATED ALWAYS AS (COALESCE(job_number(job_id), job_id)) STORED,
	superseded boolean NOT NULL DEFAULT false,
	paid_at timestamp with time zone,
	changed_at timestamp with time zone NOT NULL DEFAULT now(),
	CONSTRAINT reported_jobs_pkey PRIMARY KEY (worker_address, job_id),
	CONSTRAINT jobs_assigned_at_is_plausible CHECK (is_plausible_time(assigned_at)),
	CONSTRAINT jobs_block_number_is_0_or_more CHECK ((block_number >= 0)),
	CONSTRAINT jobs_client_address_is_address CHECK (is_address(client_address)),
	CONSTRAINT jobs_completed_at_is_plausible CHECK (is_plausible_time(completed_at)),
	CONSTRAINT jobs_created_at_is_plausible CHECK (is_plausible_time(created_at)),
	CONSTRAINT jobs_execution_time_ms_is_0_or_more CHECK (((execution_time_ms >= 0) AND (execution_time_ms <= '9223372036854'::bigint))),
	CONSTRAINT jobs_job_id_has_1_to_256_characters CHECK (((length(job_id) >= 1) AND (length(job_id) <= 256))),
	CONSTRAINT jobs_payment_amount_is_u256 CHECK (is_u256(payment_amount)),
	CONSTRAINT jobs_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'assigned'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'timeout'::text]))),
	CONSTRAINT jobs_tx_hash_is_felt CHECK (is_felt(tx_hash)),
	CONSTRAINT jobs_updated_at_is_plausible CHECK (is_plausible_time(updated_at)),
	CONSTRAINT jobs_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE reported_jobs IS 'Jobs as their workers report them. The columns of jobs mean what they mean there.';
COMMENT ON COLUMN reported_jobs.kept_apart IS 'As in jobs.';
COMMENT ON COLUMN reported_jobs.job_key IS 'job_number of the identifier; the identifier itself if it is no number.';
COMMENT ON COLUMN reported_jobs.superseded IS 'jobs has the job of that worker, and is what counts.';
COMMENT ON COLUMN reported_jobs.paid_at IS 'When the chain paid what is reported, by its events. NULL: they do not say so.';
COMMENT ON COLUMN reported_jobs.changed_at IS 'When the worker last reported something new of it.';
CREATE INDEX reported_jobs_ahead ON public.reported_jobs USING btree (GREATEST(created_at, assigned_at, completed_at)) WHERE (kept_apart = 'ahead'::text);
CREATE INDEX reported_jobs_by_change ON public.reported_jobs USING btree (changed_at) WHERE (NOT superseded);
CREATE INDEX reported_jobs_by_key ON public.reported_jobs USING btree (worker_address, job_key);
CREATE INDEX reported_jobs_earned ON public.reported_jobs USING btree (worker_address, COALESCE(completed_at, created_at) DESC, job_id DESC) WHERE ((status = 'completed'::text) AND (payment_amount IS NOT NULL) AND (NOT superseded));
CREATE INDEX reported_jobs_kept_apart ON public.reported_jobs USING btree (worker_address, kept_apart) WHERE ((kept_apart IS NOT NULL) AND (NOT superseded));
CREATE INDEX reported_jobs_of_kind_by_duration ON public.reported_jobs USING btree (worker_address, status, job_type, job_duration_ms(execution_time_ms, assigned_at, completed_at), job_id) WHERE (NOT superseded);
CREATE INDEX reported_jobs_of_kind_by_payment ON public.reported_jobs USING btree (worker_address, status, job_type, payment_amount, job_id) WHERE (NOT superseded);
CREATE INDEX reported_jobs_of_worker ON public.reported_jobs USING btree (worker_address, created_at DESC, job_id DESC) WHERE (NOT superseded);
CREATE INDEX reported_jobs_of_worker_by_client ON public.reported_jobs USING btree (worker_address, client_address, created_at DESC, job_id DESC) WHERE ((client_address IS NOT NULL) AND (NOT superseded));
CREATE INDEX reported_jobs_of_worker_by_gpu ON public.reported_jobs USING btree (worker_address, gpu_uuid, created_at DESC, job_id DESC) WHERE ((gpu_uuid IS NOT NULL) AND (NOT superseded));
CREATE INDEX reported_jobs_of_worker_by_id ON public.reported_jobs USING btree (worker_address, job_id text_pattern_ops) WHERE (NOT superseded);
CREATE INDEX reported_jobs_of_worker_by_status ON public.reported_jobs USING btree (worker_address, status, created_at DESC, job_id DESC) WHERE (NOT superseded);
CREATE INDEX reported_jobs_of_worker_by_type ON public.reported_jobs USING btree (worker_address, job_type, created_at DESC, job_id DESC) WHERE (NOT superseded);
CREATE INDEX reported_jobs_paid ON public.reported_jobs USING btree (paid_at) WHERE ((paid_at IS NOT NULL) AND (NOT superseded));
CREATE INDEX reported_jobs_with_error_of_worker ON public.reported_jobs USING btree (worker_address, created_at DESC, job_id DESC) WHERE ((status = ANY (ARRAY['failed'::text, 'timeout'::text])) AND (error_message IS NOT NULL) AND (NOT superseded));
CREATE TRIGGER aggregate_delete_of_reported_jobs AFTER DELETE ON reported_jobs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION aggregate_delete_of_reported_jobs();
CREATE TRIGGER aggregate_insert_of_reported_jobs AFTER INSERT ON reported_jobs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aggregate_insert_of_reported_jobs();
CREATE TRIGGER aggregate_update_of_reported_jobs AFTER UPDATE ON reported_jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aggregate_update_of_reported_jobs();
CREATE TRIGGER reported_jobs_judge BEFORE INSERT OR UPDATE ON reported_jobs FOR EACH ROW WHEN (new.kept_apart IS DISTINCT FROM job_fault(new.status, new.created_at, new.assigned_at, new.completed_at, new.execution_time_ms, latest_time())) EXECUTE FUNCTION judge_job();

CREATE TABLE reputation_changes (
	block_number bigint NOT NULL,
	block_hash text NOT NULL,
	block_time timestamp with time zone NOT NULL,
	tx_hash text NOT NULL,
	contract_address text NOT NULL,
	event_index integer NOT NULL,
	place integer NOT NULL,
	worker_id text NOT NULL,
	old_score bigint NOT NULL,
	new_score bigint NOT NULL,
	delta bigint NOT NULL,
	reason text NOT NULL,
	job_id text,
	changed_at timestamp with time zone,
	CONSTRAINT reputation_changes_pkey PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
	CONSTRAINT reputation_changes_worker_id_is_felt CHECK (is_felt(worker_id))
);
COMMENT ON TABLE reputation_changes IS 'ReputationManager: changes of workers'' scores, with their reasons.';
COMMENT ON COLUMN reputation_changes.delta IS 'As the contract emits it.';
CREATE INDEX reputation_changes_by_time ON public.reputation_changes USING btree (worker_id, block_time DESC, block_number DESC, place DESC);
CREATE INDEX reputation_changes_of_worker ON public.reputation_changes USING btree (worker_id, block_number DESC, place DESC);

CREATE TABLE reward_claims (
	address text NOT NULL,
	amount numeric(78,0),
	claim_type text NOT NULL,
	claim_time timestamp with time zone NOT NULL DEFAULT now(),
	tx_hash text,
	block_number bigint,
	status text NOT NULL DEFAULT 'submitted'::text,
	failure text,
	from_event boolean NOT NULL DEFAULT false,
	id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
	kept_apart text,
	CONSTRAINT reward_claims_address_tx_hash_key UNIQUE (address, tx_hash),
	CONSTRAINT reward_claims_address_is_address CHECK (is_address(address)),
	CONSTRAINT reward_claims_amount_is_u256 CHECK (is_u256(amount)),
	CONSTRAINT reward_claims_block_number_is_0_or_more CHECK ((block_number >= 0)),
	CONSTRAINT reward_claims_claim_time_is_plausible CHECK (is_plausible_time(claim_time)),
	CONSTRAINT reward_claims_claim_type_is_known CHECK ((claim_type = ANY (ARRAY['job'::text, 'staking'::text, 'mining'::text, 'bonus'::text]))),
	CONSTRAINT reward_claims_confirmed_has_an_amount CHECK (((status <> 'confirmed'::text) OR (amount IS NOT NULL))),
	CONSTRAINT reward_claims_expired_has_no_amount CHECK (((status <> 'expired'::text) OR (amount IS NULL))),
	CONSTRAINT reward_claims_status_is_known CHECK ((status = ANY (ARRAY['submitted'::text, 'confirmed'::text, 'failed'::text, 'expired'::text]))),
	CONSTRAINT reward_claims_submitted_has_a_tx_hash_and_no_amount_yet CHECK (((status <> 'submitted'::text) OR ((amount IS NULL) AND (tx_hash IS NOT NULL)))),
	CONSTRAINT reward_claims_tx_hash_is_felt CHECK (is_felt(tx_hash))
);
COMMENT ON TABLE reward_claims IS 'Claims of rewards by wallets.';
COMMENT ON COLUMN reward_claims.amount IS 'In wei (10^-18 SAGE), as the chain told it. NULL until then.';
COMMENT ON COLUMN reward_claims.status IS 'submitted: the chain has not told the outcome. confirmed: its event was seen. failed: it was reverted or claimed nothing. expired: no node knew its transaction a day after it was sent.';
COMMENT ON COLUMN reward_claims.from_event IS 'Known from the chain''s event only: it goes if the chain drops the block.';
COMMENT ON COLUMN reward_claims.id IS 'A number of its own; the database gives it.';
COMMENT ON COLUMN reward_claims.kept_apart IS 'The database sets it. ahead: claim_time is over 5 minutes ahead of the database''s clock, so the claim is in no sum. NULL: it counts.';
CREATE INDEX reward_claims_by_block ON public.reward_claims USING btree (block_number) WHERE (block_number IS NOT NULL);
CREATE INDEX reward_claims_earned ON public.reward_claims USING btree (address, claim_time DESC, id DESC) WHERE ((status = 'confirmed'::text) AND (claim_type <> 'job'::text));
CREATE INDEX reward_claims_of_address ON public.reward_claims USING btree (address, claim_time DESC, tx_hash DESC);
CREATE INDEX reward_claims_open ON public.reward_claims USING btree (claim_time) WHERE (status = 'submitted'::text);
CREATE TRIGGER forget_claims AFTER TRUNCATE ON reward_claims FOR EACH STATEMENT EXECUTE FUNCTION forget_claims();
CREATE TRIGGER price_changed_claim AFTER UPDATE ON reward_claims FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status OR old.claim_time IS DISTINCT FROM new.claim_time OR old.tx_hash IS DISTINCT FROM new.tx_hash OR old.address IS DISTINCT FROM new.address) EXECUTE FUNCTION price_claim();
CREATE TRIGGER price_claim AFTER INSERT OR DELETE ON reward_claims FOR EACH ROW EXECUTE FUNCTION price_claim();
CREATE TRIGGER refuse_to_forget BEFORE TRUNCATE ON reward_claims FOR EACH STATEMENT WHEN (current_setting('transaction_isolation'::text) = ANY (ARRAY['repeatable read'::text, 'serializable'::text])) EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER reward_claims_judge BEFORE INSERT OR UPDATE ON reward_claims FOR EACH ROW WHEN (new.kept_apart IS DISTINCT FROM
        CASE
            WHEN new.claim_time > latest_time() THEN 'ahead'::text
            ELSE NULL::text
        END) EXECUTE FUNCTION judge_claim();
CREATE TRIGGER reward_claims_normalise_felts BEFORE INSERT OR UPDATE ON reward_claims FOR EACH ROW WHEN (NOT is_address(new.address) OR NOT is_felt(new.tx_hash)) EXECUTE FUNCTION normalise_felts('address', 'tx_hash');
CREATE TRIGGER roll_up_delete_of_reward_claims AFTER DELETE ON reward_claims REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_delete_of_reward_claims();
CREATE TRIGGER roll_up_insert_of_reward_claims AFTER INSERT ON reward_claims REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_insert_of_reward_claims();
CREATE TRIGGER roll_up_update_of_reward_claims AFTER UPDATE ON reward_claims REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_update_of_reward_claims();

CREATE TABLE sage_prices (
	observed_at timestamp with time zone NOT NULL,
	currency text NOT NULL,
	price numeric NOT NULL,
	source text NOT NULL,
	CONSTRAINT sage_prices_pkey PRIMARY KEY (observed_at, currency),
	CONSTRAINT sage_prices_observed_at_is_plausible CHECK (is_plausible_time(observed_at)),
	CONSTRAINT sage_prices_price_is_above_0 CHECK (((price > (0)::numeric) AND (price <> 'NaN'::numeric) AND (price <> 'Infinity'::numeric)))
);
COMMENT ON TABLE sage_prices IS 'Observed prices of one SAGE.';

CREATE TABLE sessions (
	token_hash bytea NOT NULL,
	session_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	wallet_address text NOT NULL,
	wallet_name text NOT NULL,
	user_agent text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	seen_at timestamp with time zone NOT NULL,
	expires_at timestamp with time zone NOT NULL,
	CONSTRAINT sessions_session_id_key UNIQUE (session_id),
	CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
	CONSTRAINT sessions_token_hash_is_sha256 CHECK ((octet_length(token_hash) = 32)),
	CONSTRAINT sessions_wallet_address_is_address CHECK (is_address(wallet_address))
);
COMMENT ON TABLE sessions IS 'Browsers that a wallet signed in.';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of the cookie''s token.';
COMMENT ON COLUMN sessions.seen_at IS 'Written at most once a minute.';
CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_by_last_use ON public.sessions USING btree (seen_at);
CREATE INDEX sessions_of_wallet ON public.sessions USING btree (wallet_address, session_id);

CREATE TABLE signin_messages (
	nonce_hash bytea NOT NULL,
	wallet_address text NOT NULL,
	chain_id text NOT NULL,
	uri text NOT NULL,
	client_network text NOT NULL,
	issued_at timestamp with time zone NOT NULL,
	expires_at timestamp with time zone NOT NULL,
	tries integer NOT NULL DEFAULT 0,
	used_at timestamp with time zone,
	CONSTRAINT signin_messages_pkey PRIMARY KEY (nonce_hash),
	CONSTRAINT signin_messages_expires_after_issue CHECK ((expires_at > issued_at)),
	CONSTRAINT signin_messages_nonce_hash_is_sha256 CHECK ((octet_length(nonce_hash) = 32)),
	CONSTRAINT signin_messages_wallet_address_is_address CHECK (is_address(wallet_address))
);
COMMENT ON TABLE signin_messages IS 'Messages that wallets are asked to sign when they sign in.';
COMMENT ON COLUMN signin_messages.nonce_hash IS 'SHA-256 of the nonce.';
COMMENT ON COLUMN signin_messages.client_network IS 'The network prefix of whoever asked for the message; it bounds how many are open.';
COMMENT ON COLUMN signin_messages.tries IS 'Signatures that were tried.';
CREATE INDEX signin_messages_by_expiry ON public.signin_messages USING btree (expires_at);
CREATE INDEX signin_messages_open_of_client ON public.signin_messages USING btree (client_network, expires_at) WHERE (used_at IS NULL);

CREATE TABLE space_probe (
	n bigint NOT NULL
) WITH (autovacuum_enabled=false);
COMMENT ON TABLE space_probe IS 'Filled into a new file now and then: it shows whether the database''s disk has room.';

CREATE TABLE stake_events (
	block_number bigint NOT NULL,
	block_hash text NOT NULL,
	block_time timestamp with time zone NOT NULL,
	tx_hash text NOT NULL,
	contract_address text NOT NULL,
	event_index integer NOT NULL,
	place integer NOT NULL,
	worker_address text NOT NULL,
	kind text NOT NULL,
	amount numeric(78,0) NOT NULL,
	gpu_tier integer,
	total numeric(78,0),
	unlock_at timestamp with time zone,
	slash_reason integer,
	job_id text,
	CONSTRAINT stake_events_pkey PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
	CONSTRAINT stake_events_amount_is_u256 CHECK (is_u256(amount)),
	CONSTRAINT stake_events_kind_is_known CHECK ((kind = ANY (ARRAY['staked'::text, 'unstake_requested'::text, 'unstake_completed'::text, 'slashed'::text, 'rewards_claimed'::text]))),
	CONSTRAINT stake_events_total_is_u256 CHECK (is_u256(total)),
	CONSTRAINT stake_events_worker_address_is_address CHECK (is_address(worker_address))
);
COMMENT ON TABLE stake_events IS 'ProverStaking: what happened to workers'' stakes.';
CREATE INDEX stake_events_of_transaction ON public.stake_events USING btree (worker_address, tx_hash) WHERE (kind = 'slashed'::text);
CREATE INDEX stake_events_of_worker ON public.stake_events USING btree (worker_address, block_number DESC, place DESC);

CREATE VIEW uptime_hours AS
 SELECT h.worker_address,
    h.worker_id,
    h.hour,
    h.minutes
   FROM heartbeat_hours h
  WHERE NOT (EXISTS ( SELECT
           FROM heartbeat_changes c
          WHERE c.worker_address = h.worker_address AND c.hour = h.hour AND c.worker_id = h.worker_id))
UNION ALL
 SELECT c.worker_address,
    c.worker_id,
    c.hour,
        CASE
            WHEN h.hour IS NULL THEN counted_minutes(c.beats)
            WHEN h.beats IS NULL THEN h.minutes | counted_minutes(c.beats)
            ELSE counted_minutes(add_counts(h.beats, c.beats))
        END AS minutes
   FROM ( SELECT heartbeat_changes.worker_address,
            heartbeat_changes.worker_id,
            heartbeat_changes.hour,
            sum_counts(heartbeat_changes.beats) AS beats
           FROM heartbeat_changes
          GROUP BY heartbeat_changes.worker_address, heartbeat_changes.hour, heartbeat_changes.worker_id) c
     LEFT JOIN heartbeat_hours h USING (worker_address, hour, worker_id);
COMMENT ON VIEW uptime_hours IS 'heartbeat_hours as they are once heartbeat_changes is merged.';

CREATE VIEW wallet_jobs AS
 SELECT jobs.job_id,
    jobs.client_address,
    jobs.worker_address,
    jobs.job_type,
    jobs.status,
    jobs.payment_amount,
    jobs.created_at,
    jobs.assigned_at,
    jobs.completed_at,
    jobs.execution_time_ms,
    jobs.result_hash,
    jobs.error_message,
    jobs.gpu_uuid,
    jobs.tx_hash,
    jobs.block_number,
    jobs.updated_at,
    jobs.kept_apart,
    false AS self_reported,
    NULL::timestamp with time zone AS paid_at,
    false AS superseded
   FROM jobs
UNION ALL
 SELECT reported_jobs.job_id,
    reported_jobs.client_address,
    reported_jobs.worker_address,
    reported_jobs.job_type,
    reported_jobs.status,
    reported_jobs.payment_amount,
    reported_jobs.created_at,
    reported_jobs.assigned_at,
    reported_jobs.completed_at,
    reported_jobs.execution_time_ms,
    reported_jobs.result_hash,
    reported_jobs.error_message,
    reported_jobs.gpu_uuid,
    reported_jobs.tx_hash,
    reported_jobs.block_number,
    reported_jobs.updated_at,
    reported_jobs.kept_apart,
    true AS self_reported,
    reported_jobs.paid_at,
    reported_jobs.superseded
   FROM reported_jobs;
COMMENT ON VIEW wallet_jobs IS 'Jobs of the coordinator and of workers'' own reports, for readers of one worker''s.';

CREATE TABLE worker_days (
	worker_address text NOT NULL,
	day date NOT NULL,
	minutes integer NOT NULL,
	within smallint[] NOT NULL DEFAULT '{}'::smallint[],
	CONSTRAINT worker_days_pkey PRIMARY KEY (worker_address, day)
) WITH (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
COMMENT ON TABLE worker_days IS 'How many minutes of each day any host of a worker was heard in.';
COMMENT ON COLUMN worker_days.within IS 'As heartbeat_days.within, of any host.';

CREATE TABLE worker_gpus (
	worker_address text NOT NULL,
	worker_id text NOT NULL,
	gpu_uuid text NOT NULL,
	sampled_at timestamp with time zone NOT NULL,
	sample jsonb NOT NULL,
	CONSTRAINT worker_gpus_pkey PRIMARY KEY (worker_address, worker_id, gpu_uuid),
	CONSTRAINT worker_gpus_sampled_at_is_plausible CHECK (is_plausible_time(sampled_at)),
	CONSTRAINT worker_gpus_worker_address_is_address CHECK (is_address(worker_address))
) WITH (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=500);
COMMENT ON TABLE worker_gpus IS 'The newest sample of every GPU on every host.';
CREATE INDEX worker_gpus_by_time ON public.worker_gpus USING btree (sampled_at);

CREATE TABLE write_probes (
	replica text NOT NULL,
	written_at timestamp with time zone NOT NULL,
	CONSTRAINT write_probes_pkey PRIMARY KEY (replica)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=200, autovacuum_vacuum_scale_factor=0);
COMMENT ON TABLE write_probes IS 'A row of every running program, written every few seconds: it shows whether the database takes writes.';
COMMENT ON COLUMN write_probes.replica IS 'Made anew by each start of a program.';

CREATE OR REPLACE FUNCTION public.add_counts(a integer[], b integer[])
 RETURNS integer[]
 LANGUAGE plpgsql
 IMMUTABLE STRICT
AS $function$
BEGIN
    FOR n IN 1 .. 60 LOOP
        a[n] := a[n] + b[n];
    END LOOP;
    RETURN a;
END $function$;
COMMENT ON FUNCTION add_counts(integer[],integer[]) IS 'Adds two counts of heartbeats by minute of an hour.';

CREATE OR REPLACE FUNCTION public.add_job_totals(home text, changed text)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT ARRAY[
    format($$
        INSERT INTO %I.job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs)
        SELECT COALESCE(worker_address, ''), job_type, status, sum(sign),
               COALESCE(sum(sign * execution_time_ms) FILTER (WHERE status = 'completed'), 0),
               COALESCE(sum(sign * took_ms) FILTER (WHERE status = 'completed'), 0),
               COALESCE(sum(sign) FILTER (WHERE status = 'completed' AND took_ms IS NOT NULL), 0)
        FROM (SELECT *, COALESCE(execution_time_ms, CASE WHEN completed_at >= assigned_at
                  THEN round(extract(epoch FROM completed_at - assigned_at) * 1000) END) AS took_ms
              FROM (%s) changed) measured
        GROUP BY 1, 2, 3
        HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0 OR sum(sign * took_ms) <> 0
            OR sum(sign) FILTER (WHERE took_ms IS NOT NULL) <> 0
    $$, home, changed),
    format($$
        INSERT INTO %I.earning_days (worker_address, day, jobs, amount_wei)
        SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount)
        FROM (%s) changed
        WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
        GROUP BY 1, 2
        HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0
    $$, home, changed)]
$function$;
COMMENT ON FUNCTION add_job_totals(text,text) IS 'Returns the statements that write the deltas of job_totals and earning_days for changed rows of jobs. changed is a query whose column sign is 1 for rows that came and -1 for rows that went.';

CREATE OR REPLACE FUNCTION public.add_reported_jobs(list jsonb)
 RETURNS SETOF text
 LANGUAGE sql
AS $function$
INSERT INTO reported_jobs (job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at)
SELECT job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at
FROM told_jobs(list) ON CONFLICT (worker_address, job_id) DO NOTHING RETURNING job_id
$function$;
COMMENT ON FUNCTION add_reported_jobs(jsonb) IS 'Inserts the reports of workers whose job they have not reported yet, and returns the identifiers of those.';

CREATE OR REPLACE FUNCTION public.add_told_heartbeats(list jsonb)
 RETURNS bigint
 LANGUAGE sql
AS $function$
WITH added AS (
    INSERT INTO heartbeats SELECT * FROM jsonb_populate_recordset(NULL::heartbeats, list)
    ON CONFLICT (worker_address, heartbeat_time, worker_id) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM added
$function$;
COMMENT ON FUNCTION add_told_heartbeats(jsonb) IS 'Inserts heartbeats that the API received, and returns how many were new.';

CREATE OR REPLACE FUNCTION public.add_told_jobs(list jsonb)
 RETURNS SETOF text
 LANGUAGE sql
AS $function$
INSERT INTO jobs SELECT * FROM told_jobs(list) ON CONFLICT (job_id) DO NOTHING RETURNING job_id
$function$;
COMMENT ON FUNCTION add_told_jobs(jsonb) IS 'Inserts the jobs that a coordinator reported and that are not known yet, and returns their identifiers.';

CREATE OR REPLACE FUNCTION public.aggregate_delete_of_reported_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, self_reported)
    SELECT worker_address, job_type, status, sum(jobs), COALESCE(sum(execution), 0), COALESCE(sum(took), 0), sum(timed), self_reported
    FROM (SELECT worker_address, job_type, status, sign AS jobs, NULL::numeric AS execution, NULL::numeric AS took, 0 AS timed, paid_at IS NULL AS self_reported
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') counted
          UNION ALL
          SELECT worker_address, job_type, status, 0, sign * execution_time_ms, sign * job_duration_ms(execution_time_ms, assigned_at, completed_at),
                 CASE WHEN job_duration_ms(execution_time_ms, assigned_at, completed_at) IS NULL THEN 0 ELSE sign END, true
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') timed WHERE status = 'completed') parts
    GROUP BY worker_address, job_type, status, self_reported
    HAVING sum(jobs) <> 0 OR sum(execution) <> 0 OR sum(took) <> 0 OR sum(timed) <> 0;

    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4, 7
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT date_trunc('hour', paid_at, 'UTC'), 0, sum(sign), 0, 0
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND paid_at IS NOT NULL
    GROUP BY 1
    HAVING sum(sign) <> 0;

    INSERT INTO earning_days (worker_address, day, jobs, amount_wei, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND payment_amount IS NOT NULL
    GROUP BY 1, 2, 5
    HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0;
 INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION aggregate_delete_of_reported_jobs() IS 'Writes the deltas that deleted reports leave in job_totals, job_days, job_hours, network_hours, earning_days and payment_changes.';

CREATE OR REPLACE FUNCTION public.aggregate_insert_of_reported_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, self_reported)
    SELECT worker_address, job_type, status, sum(jobs), COALESCE(sum(execution), 0), COALESCE(sum(took), 0), sum(timed), self_reported
    FROM (SELECT worker_address, job_type, status, sign AS jobs, NULL::numeric AS execution, NULL::numeric AS took, 0 AS timed, paid_at IS NULL AS self_reported
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') counted
          UNION ALL
          SELECT worker_address, job_type, status, 0, sign * execution_time_ms, sign * job_duration_ms(execution_time_ms, assigned_at, completed_at),
                 CASE WHEN job_duration_ms(execution_time_ms, assigned_at, completed_at) IS NULL THEN 0 ELSE sign END, true
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') timed WHERE status = 'completed') parts
    GROUP BY worker_address, job_type, status, self_reported
    HAVING sum(jobs) <> 0 OR sum(execution) <> 0 OR sum(took) <> 0 OR sum(timed) <> 0;

    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4, 7
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT date_trunc('hour', paid_at, 'UTC'), 0, sum(sign), 0, 0
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND paid_at IS NOT NULL
    GROUP BY 1
    HAVING sum(sign) <> 0;

    INSERT INTO earning_days (worker_address, day, jobs, amount_wei, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND payment_amount IS NOT NULL
    GROUP BY 1, 2, 5
    HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0;
 INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION aggregate_insert_of_reported_jobs() IS 'Writes the deltas that new reports bring to job_totals, job_days, job_hours, network_hours, earning_days and payment_changes.';

CREATE OR REPLACE FUNCTION public.aggregate_update_of_reported_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, self_reported)
    SELECT worker_address, job_type, status, sum(jobs), COALESCE(sum(execution), 0), COALESCE(sum(took), 0), sum(timed), self_reported
    FROM (SELECT worker_address, job_type, status, sign AS jobs, NULL::numeric AS execution, NULL::numeric AS took, 0 AS timed, paid_at IS NULL AS self_reported
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') counted
          UNION ALL
          SELECT worker_address, job_type, status, 0, sign * execution_time_ms, sign * job_duration_ms(execution_time_ms, assigned_at, completed_at),
                 CASE WHEN job_duration_ms(execution_time_ms, assigned_at, completed_at) IS NULL THEN 0 ELSE sign END, true
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') timed WHERE status = 'completed') parts
    GROUP BY worker_address, job_type, status, self_reported
    HAVING sum(jobs) <> 0 OR sum(execution) <> 0 OR sum(took) <> 0 OR sum(timed) <> 0;

    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4, 7
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT date_trunc('hour', paid_at, 'UTC'), 0, sum(sign), 0, 0
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND paid_at IS NOT NULL
    GROUP BY 1
    HAVING sum(sign) <> 0;

    INSERT INTO earning_days (worker_address, day, jobs, amount_wei, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount), paid_at IS NULL
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'completed' AND payment_amount IS NOT NULL
    GROUP BY 1, 2, 5
    HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0;
 INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei), sum(payments), sum(paid_wei), sum(hidden), sum(told_us)
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
    GROUP BY worker_address, job_key
    HAVING sum(jobs) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0 OR sum(releases) <> 0 OR sum(released_wei) <> 0
        OR sum(payments) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0
; RETURN NULL; END$function$;
COMMENT ON FUNCTION aggregate_update_of_reported_jobs() IS 'Writes the deltas that changed reports bring to job_totals, job_days, job_hours, network_hours, earning_days and payment_changes.';

CREATE OR REPLACE FUNCTION public.begin_to_forget_heartbeats()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM set_config('validator.emptying', 'on', true);
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION begin_to_forget_heartbeats() IS 'Marks the transaction before TRUNCATE of heartbeats, so that its partitions do not count what they lose one by one.';

CREATE OR REPLACE FUNCTION public.chain_payment_parts(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    SELECT worker_address, job_id AS job_key, 0::bigint AS jobs, 0::numeric AS recorded_wei, 0::numeric AS ended_us,
           CASE kind WHEN 'released' THEN sign ELSE 0 END::bigint AS releases, CASE kind WHEN 'released' THEN sign * amount ELSE 0 END AS released_wei,
           CASE kind WHEN 'paid' THEN sign ELSE 0 END::bigint AS payments, CASE kind WHEN 'paid' THEN sign * amount ELSE 0 END AS paid_wei,
           CASE WHEN kind = 'paid' AND private AND amount = 0 THEN sign ELSE 0 END::bigint AS hidden, sign * microseconds(block_time) AS told_us
    FROM (%s) changed
$$, changed)
$function$;
COMMENT ON FUNCTION chain_payment_parts(text) IS 'Returns the query that turns changed rows of chain_payments into parts of payment_changes; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.claim_rollup_statements(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    INSERT INTO earning_days (worker_address, day, kind, jobs, amount_wei)
    SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END,
           sum(sign), sum(sign * amount)
    FROM (%s) changed
    WHERE status = 'confirmed'
    GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 OR sum(sign * amount) <> 0;
$$, changed)
$function$;
COMMENT ON FUNCTION claim_rollup_statements(text) IS 'Returns the statement that writes the deltas of earning_days for changed claims; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.claims_that_count(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$SELECT * FROM (%s) judged WHERE kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$function$;
COMMENT ON FUNCTION claims_that_count(text) IS 'Returns a query for those of the changed claims that are in the sums: without those kept apart.';

CREATE OR REPLACE FUNCTION public.count_changed_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM old_rows'
        ELSE 'SELECT -1 AS sign, * FROM old_rows UNION ALL SELECT 1, * FROM new_rows' END;
    statement text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_advisory_xact_lock(hashtext('fold totals')); -- a fold would bring rows back
        TRUNCATE job_totals, job_days, job_hours, network_hours;
        DELETE FROM earning_days WHERE kind = 'job';
        PERFORM count_reports_anew();
        RETURN NULL;
    END IF;
    FOREACH statement IN ARRAY add_job_totals(TG_TABLE_SCHEMA, jobs_that_count(changed)) LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION count_changed_jobs() IS 'Writes the deltas of job_totals and earning_days for changed jobs; on TRUNCATE it empties every sum of jobs and counts the reports anew.';

CREATE OR REPLACE FUNCTION public.count_heartbeat_days(workers text[], days date[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
    SELECT array_agg(worker_address), array_agg(day) INTO workers, days
    FROM (SELECT worker_address, day FROM unnest(workers, days) AS c (worker_address, day)
          UNION
          SELECT worker_address, day + 1 FROM unnest(workers, days) AS c (worker_address, day)
          WHERE EXISTS (SELECT FROM heartbeat_days d WHERE d.worker_address = c.worker_address AND d.day = c.day + 1)
             OR EXISTS (SELECT FROM heartbeat_hours h WHERE h.worker_address = c.worker_address AND h.hour = (c.day + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 hour')) touched;
    DELETE FROM heartbeat_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    DELETE FROM worker_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    WITH hours AS MATERIALIZED (
        SELECT h.worker_address, h.worker_id, c.day, h.minutes,
               (extract(epoch FROM h.hour - c.day::timestamp AT TIME ZONE 'UTC') / 3600)::integer + 1 AS place
        FROM unnest(workers, days) AS c (worker_address, day)
        JOIN heartbeat_hours h ON h.worker_address = c.worker_address
         AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' - interval '1 hour' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
        WHERE h.minutes <> 0
    ), counted AS MATERIALIZED (
        SELECT worker_address, worker_id, day, minutes_within(array_agg(place), array_agg(minutes)) AS within FROM hours GROUP BY 1, 2, 3
    ), of_hosts AS (
        INSERT INTO heartbeat_days (worker_address, worker_id, day, minutes, within)
        SELECT worker_address, worker_id, day, within[0], within[1:60] FROM counted WHERE within[60] > 0
    ), alone AS (
        SELECT worker_address, day FROM counted GROUP BY 1, 2 HAVING count(*) = 1
    )
    INSERT INTO worker_days (worker_address, day, minutes, within)
    SELECT worker_address, day, within[0], within[1:60]
    FROM (SELECT worker_address, day, within FROM counted JOIN alone USING (worker_address, day)
          UNION ALL
          SELECT worker_address, day, minutes_within(array_agg(place), array_agg(minutes))
          FROM hours WHERE (worker_address, day) NOT IN (SELECT worker_address, day FROM alone)
          GROUP BY 1, 2) any_host
    WHERE within[60] > 0;
END $function$;
COMMENT ON FUNCTION count_heartbeat_days(text[],date[]) IS 'Computes heartbeat_days and worker_days anew from heartbeat_hours, for pairs of a worker and a day and for the days after them.';

CREATE OR REPLACE FUNCTION public.count_heartbeats_of_partition(part regclass)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    act record;
BEGIN
    FOR act IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows')) a (event, tables) LOOP
        EXECUTE format($q$CREATE TRIGGER %1$I AFTER %2$s ON %3$s REFERENCING %4$s FOR EACH STATEMENT
            WHEN (current_setting('validator.keeping', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION %1$I()$q$,
            'roll_up_' || lower(act.event) || '_of_heartbeats', act.event, part, act.tables);
    END LOOP;
    EXECUTE format('CREATE TRIGGER forget_heartbeats_of_partition BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION forget_heartbeats_of_partition()', part);
END $function$;
COMMENT ON FUNCTION count_heartbeats_of_partition(regclass) IS 'Adds to a partition of heartbeats the triggers that count rows written by its own name.';

CREATE OR REPLACE FUNCTION public.count_reports_anew()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY string_to_array(report_rollup_statements(reports_that_count('SELECT 1 AS sign, r.* FROM reported_jobs r')), ';') LOOP
        IF btrim(statement, E' \n') <> '' THEN
            EXECUTE statement;
        END IF;
    END LOOP;
    UPDATE reported_jobs SET superseded = false WHERE superseded;
END $function$;
COMMENT ON FUNCTION count_reports_anew() IS 'Writes the deltas of all reports, after the sums of jobs were emptied; none is superseded then.';

CREATE OR REPLACE FUNCTION public.counted_minutes(counts integer[])
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT COALESCE(bit_or(1::bigint << (n - 1)), 0) FROM generate_series(1, 60) n WHERE counts[n] > 0 $function$;
COMMENT ON FUNCTION counted_minutes(integer[]) IS 'Returns the bits of the minutes of an hour with at least one heartbeat: bit n is minute n.';

CREATE OR REPLACE FUNCTION public.day_of(us bigint)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT date '1970-01-01' + floor(us / 86400000000.0)::integer $function$;
COMMENT ON FUNCTION day_of(bigint) IS 'Returns the UTC day of a time in microseconds since 1970.';

CREATE OR REPLACE FUNCTION public.derive_gpu_throttles(slowing bigint, reach interval)
 RETURNS void
 LANGUAGE sql
AS $function$
INSERT INTO gpu_throttles (worker_address, worker_id, gpu_uuid, reason, began_after, began_at, last_at, ended_before)
SELECT worker_address, worker_id, gpu_uuid, reason, min(before) FILTER (WHERE first), min(sampled_at), max(sampled_at), max(behind) FILTER (WHERE last)
FROM (SELECT *, count(*) FILTER (WHERE first) OVER (PARTITION BY worker_address, gpu_uuid, worker_id, reason ORDER BY sampled_at) AS stretch
      FROM (SELECT worker_address, worker_id, gpu_uuid, reason, sampled_at, before, behind,
                   before IS NULL OR before_reasons & reason = 0 AS first, behind IS NULL OR behind_reasons & reason = 0 AS last
            FROM (SELECT worker_address, worker_id, gpu_uuid, sampled_at, throttle_reasons,
                         CASE WHEN lag(sampled_at) OVER beside >= sampled_at - reach THEN lag(sampled_at) OVER beside END AS before,
                         CASE WHEN lead(sampled_at) OVER beside <= sampled_at + reach THEN lead(sampled_at) OVER beside END AS behind,
                         lag(throttle_reasons) OVER beside AS before_reasons, lead(throttle_reasons) OVER beside AS behind_reasons
                  FROM gpu_samples s
                  WHERE throttle_reasons IS NOT NULL
                    AND (worker_address, gpu_uuid) IN (SELECT x.worker_address, x.gpu_uuid FROM gpu_samples x WHERE x.throttle_reasons & slowing <> 0)
                  WINDOW beside AS (PARTITION BY worker_address, gpu_uuid, worker_id ORDER BY sampled_at)) samples
            JOIN (SELECT 1::bigint << n AS reason FROM generate_series(0, 61) n) reasons ON slowing & reason <> 0 AND throttle_reasons & reason <> 0) edges) stretches
GROUP BY worker_address, worker_id, gpu_uuid, reason, stretch
ON CONFLICT DO NOTHING
$function$;
COMMENT ON FUNCTION derive_gpu_throttles(bigint,interval) IS 'Derives the stretches of gpu_throttles from all samples. slowing has the bits of the reasons that count; readings further apart than reach do not bound a stretch.';

CREATE OR REPLACE FUNCTION public.fold_heartbeats()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    workers text[];
    days    date[];
BEGIN
    WITH gone AS (
        DELETE FROM heartbeat_changes RETURNING *
    ), sums AS (
        SELECT worker_address, worker_id, hour, sum_counts(beats) AS beats FROM gone GROUP BY 1, 2, 3
    ), added AS (
        INSERT INTO heartbeat_hours AS h (worker_address, worker_id, hour, minutes, beats)
        SELECT worker_address, worker_id, hour, counted_minutes(beats), beats FROM sums
        ON CONFLICT (worker_address, hour, worker_id) DO UPDATE
        SET beats = add_counts(h.beats, excluded.beats),
            minutes = CASE WHEN h.beats IS NULL THEN h.minutes | excluded.minutes ELSE counted_minutes(add_counts(h.beats, excluded.beats)) END
    )
    SELECT array_agg(worker_address), array_agg(day) INTO workers, days
    FROM (SELECT DISTINCT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM sums) changed;
    IF workers IS NULL THEN
        RETURN;
    END IF;
    -- An hour that nothing is left of is no hour in which a host was heard.
    DELETE FROM heartbeat_hours h USING unnest(workers, days) AS c (worker_address, day)
    WHERE h.worker_address = c.worker_address AND h.minutes = 0 AND h.beats IS NOT NULL
      AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT FROM unnest(h.beats) n WHERE n <> 0);
    PERFORM count_heartbeat_days(workers, days);
END $function$;
COMMENT ON FUNCTION fold_heartbeats() IS 'Merges heartbeat_changes into heartbeat_hours, and computes the touched days of heartbeat_days and worker_days anew.';

CREATE OR REPLACE FUNCTION public.fold_payments()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM fold_payments(NULL);
END $function$;
COMMENT ON FUNCTION fold_payments() IS 'Merges all of payment_changes into reconciled_jobs.';

CREATE OR REPLACE FUNCTION public.fold_payments(most bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
    folded  bigint;
    workers text[];
    keys    text[];
BEGIN
    EXECUTE 'WITH gone AS (DELETE FROM payment_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM payment_changes LIMIT $1)) RETURNING *), added AS (
        INSERT INTO reconciled_jobs AS r ' || payment_sums('SELECT * FROM gone') || '
        ON CONFLICT (worker_address, job_key) DO UPDATE
        SET jobs = r.jobs + excluded.jobs, recorded_wei = r.recorded_wei + excluded.recorded_wei, ended_us = r.ended_us + excluded.ended_us,
            releases = r.releases + excluded.releases, released_wei = r.released_wei + excluded.released_wei,
            payments = r.payments + excluded.payments, paid_wei = r.paid_wei + excluded.paid_wei,
            hidden = r.hidden + excluded.hidden, told_us = r.told_us + excluded.told_us)
        SELECT count(*), array_agg(worker_address), array_agg(job_key) FROM gone' INTO folded, workers, keys USING most;
    IF folded > 0 AND EXISTS (SELECT FROM reported_jobs) THEN
        PERFORM pay_reports(workers, keys);
    END IF;
    DELETE FROM reconciled_jobs
    WHERE state = 'none' AND recorded_wei = 0 AND ended_us = 0 AND releases = 0 AND released_wei = 0
      AND payments = 0 AND paid_wei = 0 AND hidden = 0 AND told_us = 0;
    RETURN folded;
END $function$;
COMMENT ON FUNCTION fold_payments(bigint) IS 'Merges at most that many rows of payment_changes (NULL: all) into reconciled_jobs, marks the reports that the chain has paid, and returns how many rows it merged.';

CREATE OR REPLACE FUNCTION public.follow_report_checks()
 RETURNS void
 LANGUAGE sql
AS $function$
WITH gone AS (
    DELETE FROM report_checks RETURNING *
), told AS (
    SELECT worker_address, job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = gone.job_id AND j.worker_address = gone.worker_address)) AS there
    FROM gone GROUP BY 1, 2
), recent AS (
    SELECT r.worker_address, r.job_key, true AS there FROM reported_jobs r JOIN jobs j ON j.job_id = r.job_id AND j.worker_address = r.worker_address
    WHERE NOT r.superseded AND r.changed_at > now() - interval '1 hour'
), wanted AS (
    SELECT r.worker_address, r.job_id, bool_or(t.there) AS there
    FROM reported_jobs r JOIN (SELECT * FROM told UNION ALL SELECT * FROM recent) t USING (worker_address, job_key)
    GROUP BY 1, 2
), found AS (
    SELECT r.worker_address, r.job_id, w.there FROM reported_jobs r JOIN wanted w USING (worker_address, job_id)
    WHERE r.superseded <> w.there ORDER BY r.worker_address, r.job_id FOR UPDATE OF r
)
UPDATE reported_jobs r SET superseded = f.there FROM found f WHERE r.worker_address = f.worker_address AND r.job_id = f.job_id
$function$;
COMMENT ON FUNCTION follow_report_checks() IS 'Sets superseded of the reports that report_checks names, by whether jobs has their job of the same worker.';

CREATE OR REPLACE FUNCTION public.forget_claims()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold totals'));
    DELETE FROM earning_days WHERE kind <> 'job';
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION forget_claims() IS 'Empties the sums of claims after TRUNCATE of reward_claims.';

CREATE OR REPLACE FUNCTION public.forget_heartbeats()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM set_config('validator.emptying', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('fold totals')); -- a fold would bring rows back
    TRUNCATE heartbeat_changes, heartbeat_hours, heartbeat_days, worker_days;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION forget_heartbeats() IS 'Empties every sum of heartbeats after TRUNCATE of heartbeats.';

CREATE OR REPLACE FUNCTION public.forget_heartbeats_of_partition()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF current_setting('validator.emptying', true) IS DISTINCT FROM 'on' THEN
        EXECUTE heartbeat_rollup_statement(format('SELECT -1 AS sign, h.* FROM %I.%I h', TG_TABLE_SCHEMA, TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION forget_heartbeats_of_partition() IS 'Writes the deltas of all rows of a partition of heartbeats before that alone is truncated.';

CREATE OR REPLACE FUNCTION public.forget_payments()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold payments')); -- a fold would bring rows back
    TRUNCATE payment_changes, reconciled_jobs, reconciled_days;
    EXECUTE 'INSERT INTO payment_changes '
        || payment_sums(job_payments(jobs_that_count('SELECT 1 AS sign, j.* FROM jobs j'))
        || ' UNION ALL ' || job_payments(reports_that_count('SELECT 1 AS sign, r.* FROM reported_jobs r'))
        || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION forget_payments() IS 'Empties the sums of payments after TRUNCATE of jobs or chain_payments, and counts anew what is left.';

CREATE OR REPLACE FUNCTION public.forget_updated_at()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.updated_at := NULL;
    RETURN NEW;
END $function$;
COMMENT ON FUNCTION forget_updated_at() IS 'Clears updated_at of a job whose status plain SQL changes without saying since when, so that a later report is not taken for an older one.';

CREATE OR REPLACE FUNCTION public.heartbeat_rollup_statement(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    INSERT INTO heartbeat_changes (worker_address, worker_id, hour, beats)
    SELECT worker_address, worker_id, hour, beats
    FROM (SELECT worker_address, worker_id, date_trunc('hour', heartbeat_time, 'UTC') AS hour,
                 minute_counts(array_agg(extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer), array_agg(sign)) AS beats
          FROM (%s) changed
          GROUP BY 1, 2, 3) hours
    WHERE beats <> array_fill(0, ARRAY[60]);
$$, changed)
$function$;
COMMENT ON FUNCTION heartbeat_rollup_statement(text) IS 'Returns the statement that writes the deltas of heartbeat_changes for changed heartbeats; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.is_address(v text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT length(v) = 66 AND v ~ '^0x[0-9a-f]*$'
      AND v COLLATE "C" > '0x0000000000000000000000000000000000000000000000000000000000000000'
      AND v COLLATE "C" < '0x07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00' $function$;
COMMENT ON FUNCTION is_address(text) IS 'Reports whether a text is a Starknet address in normal form: 0x and 64 lower-case hex digits, above 0 and below 2^251 - 256.';

CREATE OR REPLACE FUNCTION public.is_felt(v text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT length(v) = 66 AND v ~ '^0x[0-9a-f]*$'
      AND v COLLATE "C" < '0x0800000000000011000000000000000000000000000000000000000000000001' $function$;
COMMENT ON FUNCTION is_felt(text) IS 'Reports whether a text is a felt in normal form: 0x and 64 lower-case hex digits, below Starknet''s prime.';

CREATE OR REPLACE FUNCTION public.is_plausible_time(v timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT v >= timestamptz '2000-01-01 00:00:00+00' AND v < timestamptz '2200-01-01 00:00:00+00' $function$;
COMMENT ON FUNCTION is_plausible_time(timestamp with time zone) IS 'Reports whether a time is from 2000 to 2199: others are errors of units or clocks.';

CREATE OR REPLACE FUNCTION public.is_u256(v numeric)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT v >= 0 AND v < 115792089237316195423570985008687907853269984665640564039457584007913129639936 $function$;
COMMENT ON FUNCTION is_u256(numeric) IS 'Reports whether a number is from 0 to 2^256 - 1.';

CREATE OR REPLACE FUNCTION public.job_duration_ms(execution_time_ms bigint, assigned_at timestamp with time zone, completed_at timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT COALESCE(execution_time_ms, CASE WHEN completed_at >= assigned_at THEN round(extract(epoch FROM completed_at - assigned_at) * 1000)::bigint END) $function$;
COMMENT ON FUNCTION job_duration_ms(bigint,timestamp with time zone,timestamp with time zone) IS 'Returns how long a job took: its reported execution time, or else the time from assignment to end; NULL if neither is known.';

CREATE OR REPLACE FUNCTION public.job_fault(status text, created_at timestamp with time zone, assigned_at timestamp with time zone, completed_at timestamp with time zone, execution_time_ms bigint, latest timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT CASE
    WHEN GREATEST(created_at, assigned_at, completed_at) > latest THEN 'ahead'
    WHEN execution_time_ms > 0 AND status NOT IN ('pending', 'assigned', 'running')
         AND execution_time_ms > 1000 + extract(epoch FROM COALESCE(completed_at, latest) - COALESCE(assigned_at, created_at)) * 1000 THEN 'execution' END $function$;
COMMENT ON FUNCTION job_fault(text,timestamp with time zone,timestamp with time zone,timestamp with time zone,bigint,timestamp with time zone) IS 'Returns why a job is kept apart from the sums (ahead, execution; see jobs.kept_apart), or NULL. latest is the latest time that counts as past.';

CREATE OR REPLACE FUNCTION public.job_has_ended(status text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT status NOT IN ('pending', 'assigned', 'running') $function$;
COMMENT ON FUNCTION job_has_ended(text) IS 'Reports whether a status is an end.';

CREATE OR REPLACE FUNCTION public.job_is_newer(told jobs, was jobs)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT CASE WHEN told.updated_at <> was.updated_at THEN told.updated_at > was.updated_at
       ELSE (LEAST(job_order(told.status), 4), COALESCE(GREATEST(told.assigned_at, told.completed_at), '-infinity'), job_order(told.status))
         >= (LEAST(job_order(was.status), 4), COALESCE(GREATEST(was.assigned_at, was.completed_at), '-infinity'), job_order(was.status)) END
$function$;
COMMENT ON FUNCTION job_is_newer(jobs,jobs) IS 'Reports whether what is told of a job replaces what was known: by updated_at where both have one and they differ, else by order of status and times.';

CREATE OR REPLACE FUNCTION public.job_number(id text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
DECLARE
    digits text;
    value  numeric := 0;
BEGIN
    IF id ~ '^[1-9][0-9]{0,76}$' THEN -- below 10^77, which is below 2^256
        RETURN id;
    ELSIF id ~ '^0[xX][0-9a-fA-F]+$' THEN
        digits := ltrim(substr(id, 3), '0');
        IF length(digits) > 64 THEN
            RETURN NULL;
        END IF;
        FOR n IN 1 .. length(digits) LOOP
            value := value * 16 + strpos('123456789abcdef', lower(substr(digits, n, 1)));
        END LOOP;
        RETURN value::text;
    ELSIF id ~ '^[0-9]+$' THEN
        value := id::numeric;
        IF value < 115792089237316195423570985008687907853269984665640564039457584007913129639936 THEN
            RETURN value::text;
        END IF;
    END IF;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION job_number(text) IS 'Returns the number that a job''s identifier stands for, in decimal, whether it is written in decimal or hex; NULL if it is none or does not fit a u256.';

CREATE OR REPLACE FUNCTION public.job_of_report(r reported_jobs)
 RETURNS jobs
 LANGUAGE sql
 STABLE
AS $function$ SELECT jsonb_populate_record(NULL::jobs, to_jsonb(r)) $function$;
COMMENT ON FUNCTION job_of_report(reported_jobs) IS 'Returns a report as a row of jobs.';

CREATE OR REPLACE FUNCTION public.job_order(status text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT array_position(ARRAY['pending', 'assigned', 'running', 'cancelled', 'timeout', 'failed', 'completed'], status) $function$;
COMMENT ON FUNCTION job_order(text) IS 'Returns the place of a status in the life of a job, from 1: a report of a later one replaces an earlier one.';

CREATE OR REPLACE FUNCTION public.job_payments(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (%s) changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
$$, changed)
$function$;
COMMENT ON FUNCTION job_payments(text) IS 'Returns the query that turns changed jobs into parts of payment_changes; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.job_rollup_statements(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms)
    SELECT COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0)
    FROM (%1$s) changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (%1$s) came
          WHERE worker_address IS NOT NULL
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (%1$s) ended
          WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT hour, sum(submitted), sum(completed), sum(failed), COALESCE(sum(execution), 0)
    FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution
          FROM (%1$s) came
          UNION ALL
          SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0,
                 CASE WHEN status = 'completed' THEN sign ELSE 0 END, CASE WHEN status <> 'completed' THEN sign ELSE 0 END,
                 CASE WHEN status = 'completed' THEN sign * execution_time_ms END
          FROM (%1$s) ended
          WHERE status IN ('completed', 'failed', 'timeout')) changed
    GROUP BY 1
    HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution) <> 0;
$$, changed)
$function$;
COMMENT ON FUNCTION job_rollup_statements(text) IS 'Returns the statements that write the deltas of job_days, job_hours and network_hours for changed jobs; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.jobs_that_count(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (%s) judged WHERE kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$function$;
COMMENT ON FUNCTION jobs_that_count(text) IS 'Returns a query for those of the changed jobs that are in the sums: without those kept apart, and without an execution time that cannot be.';

CREATE OR REPLACE FUNCTION public.judge_claim()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.kept_apart := CASE WHEN NEW.claim_time > latest_time() THEN 'ahead' END;
    RETURN NEW;
END $function$;
COMMENT ON FUNCTION judge_claim() IS 'Sets kept_apart of a claim.';

CREATE OR REPLACE FUNCTION public.judge_job()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.kept_apart := job_fault(NEW.status, NEW.created_at, NEW.assigned_at, NEW.completed_at, NEW.execution_time_ms, latest_time());
    RETURN NEW;
END $function$;
COMMENT ON FUNCTION judge_job() IS 'Sets kept_apart of a job or a report.';

CREATE OR REPLACE FUNCTION public.keep_gpu_hours(oldest date, max_memory bigint, min_temperature integer, max_temperature integer, max_power bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
INSERT INTO gpu_hours
SELECT worker_address, gpu_uuid, date_trunc('hour', sampled_at, 'UTC'),
       count(utilization_percent), sum(utilization_percent), min(utilization_percent), max(utilization_percent),
       count(memory_used_bytes), sum(memory_used_bytes), min(memory_used_bytes), max(memory_used_bytes),
       count(temperature_c), sum(temperature_c), min(temperature_c), max(temperature_c),
       count(power_milliwatts), sum(power_milliwatts), min(power_milliwatts), max(power_milliwatts),
       COALESCE(bit_or(throttle_reasons), 0)
FROM (SELECT worker_address, gpu_uuid, sampled_at, utilization_percent, throttle_reasons,
          CASE WHEN memory_used_bytes <= max_memory THEN memory_used_bytes END AS memory_used_bytes,
          CASE WHEN temperature_c BETWEEN min_temperature AND max_temperature THEN temperature_c END AS temperature_c,
          CASE WHEN power_milliwatts BETWEEN 0 AND max_power THEN power_milliwatts END AS power_milliwatts
      FROM gpu_samples) possible
WHERE sampled_at < oldest::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
ON CONFLICT DO NOTHING
$function$;
COMMENT ON FUNCTION keep_gpu_hours(date,bigint,integer,integer,bigint) IS 'Sums the GPU samples of before a day by hour into gpu_hours, before their partitions are dropped. Values outside the bounds given are left out.';

CREATE OR REPLACE FUNCTION public.keep_heartbeat_apart()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO heartbeats_ahead (worker_address, worker_id, heartbeat_time, received_at)
    VALUES (NEW.worker_address, NEW.worker_id, NEW.heartbeat_time, statement_timestamp())
    ON CONFLICT (worker_address, worker_id) DO UPDATE SET heartbeat_time = excluded.heartbeat_time, received_at = excluded.received_at;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION keep_heartbeat_apart() IS 'Stores a heartbeat whose time is over 5 minutes ahead in heartbeats_ahead instead of heartbeats.';

CREATE OR REPLACE FUNCTION public.keep_partitions(parent text, part_days integer, oldest date, first_day date, last_day date)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    home   text := (SELECT quote_ident(relnamespace::regnamespace::text) FROM pg_class WHERE oid = parent::regclass);
    key    text := (SELECT quote_ident(attname) FROM pg_attribute JOIN pg_partitioned_table ON attrelid = partrelid AND attnum = partattrs[0]
                    WHERE partrelid = parent::regclass);
    other  text := format('%s.%I', home, parent || '_other');
    monday date := '2001-01-01';
    edge   date := monday + (oldest - monday) / part_days * part_days;
    day    date;
    part   text;
    old    regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('keep partitions of ' || parent));
    PERFORM set_config('validator.keeping', 'on', true);
    EXECUTE format('DELETE FROM %s WHERE %s < %L', other, key, edge::timestamp AT TIME ZONE 'UTC');
    FOR day IN SELECT d::date FROM generate_series(
            (monday + (first_day - monday) / part_days * part_days)::timestamp, last_day::timestamp, make_interval(days => part_days)) d
    LOOP
        part := format('%s.%I', home, parent || '_' || to_char(day, 'YYYYMMDD'));
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
        -- Nobody may add to what is moved while it is moved.
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', other);
        EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE %2$s >= %3$L AND %2$s < %4$L RETURNING *) INSERT INTO %5$s SELECT * FROM gone',
            other, key, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC', part);
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            parent, part, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC');
        IF parent = 'heartbeats' THEN
            PERFORM count_heartbeats_of_partition(part::regclass);
        END IF;
    END LOOP;
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = parent::regclass AND relname ~ '_[0-9]{8}$' AND right(relname, 8) < to_char(edge, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %s', old);
    END LOOP;
    INSERT INTO partitions_dropped VALUES (parent, edge::timestamp AT TIME ZONE 'UTC')
    ON CONFLICT (table_name) DO UPDATE SET dropped_before = GREATEST(partitions_dropped.dropped_before, excluded.dropped_before)
    WHERE partitions_dropped.dropped_before < excluded.dropped_before;
    PERFORM set_config('validator.keeping', 'off', true);
END $function$;
COMMENT ON FUNCTION keep_partitions(text,integer,date,date,date) IS 'Creates the partitions of a table for the days from first_day to last_day, part_days days each, moves their rows out of the partition for all others, and drops partitions of before oldest.';

CREATE OR REPLACE FUNCTION public.latest_time()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT statement_timestamp() + interval '5 minutes' $function$;
COMMENT ON FUNCTION latest_time() IS 'Returns the latest time that counts as past: the statement''s, plus 5 minutes for clocks that are ahead.';

CREATE OR REPLACE FUNCTION public.marked_minutes(minutes bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT length(replace(minutes::bit(64)::text, '0', '')) $function$;
COMMENT ON FUNCTION marked_minutes(bigint) IS 'Returns how many bits are set.';

CREATE OR REPLACE FUNCTION public.merge_reported_jobs(list jsonb)
 RETURNS bigint
 LANGUAGE sql
AS $function$
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN reported_jobs r USING (worker_address, job_id)
    CROSS JOIN LATERAL job_of_report(r) was CROSS JOIN LATERAL merged_job(was, t) m
    WHERE m IS DISTINCT FROM was
), changed AS (
    UPDATE reported_jobs r SET client_address = m.client_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at, changed_at = now()
    FROM merged m WHERE r.worker_address = m.worker_address AND r.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$function$;
COMMENT ON FUNCTION merge_reported_jobs(jsonb) IS 'Merges reports into the reports that their workers made before, and returns how many changed.';

CREATE OR REPLACE FUNCTION public.merge_told_jobs(list jsonb)
 RETURNS bigint
 LANGUAGE sql
AS $function$
SELECT set_config('validator.reporting', 'on', true);
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN jobs j USING (job_id) CROSS JOIN LATERAL merged_job(j, t) m
    WHERE m IS DISTINCT FROM j
), changed AS (
    UPDATE jobs j SET client_address = m.client_address, worker_address = m.worker_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at
    FROM merged m WHERE j.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$function$;
COMMENT ON FUNCTION merge_told_jobs(jsonb) IS 'Merges jobs that a coordinator reported into the known ones, and returns how many changed.';

CREATE OR REPLACE FUNCTION public.merged_job(was jobs, told jobs)
 RETURNS jobs
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
DECLARE
    newer jobs := was;
    older jobs := told;
BEGIN
    IF job_is_newer(told, was) THEN
        newer := told;
        older := was;
    END IF;
    newer.client_address := COALESCE(newer.client_address, older.client_address);
    newer.job_type := COALESCE(NULLIF(newer.job_type, ''), older.job_type);
    newer.payment_amount := COALESCE(newer.payment_amount, older.payment_amount);
    newer.created_at := LEAST(newer.created_at, older.created_at);
    newer.kept_apart := was.kept_apart;
    IF newer.status = older.status THEN
        newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
    END IF;
    IF newer.status <> 'pending' AND (newer.worker_address IS NULL OR older.worker_address IS NULL OR newer.worker_address = older.worker_address) THEN
        newer.worker_address := COALESCE(newer.worker_address, older.worker_address);
        newer.assigned_at := COALESCE(newer.assigned_at, older.assigned_at);
        newer.gpu_uuid := COALESCE(newer.gpu_uuid, older.gpu_uuid);
    END IF;
    IF newer.status = older.status AND job_has_ended(newer.status)
        AND (newer.completed_at IS NULL OR older.completed_at IS NULL OR newer.completed_at = older.completed_at)
    THEN
        newer.completed_at := COALESCE(newer.completed_at, older.completed_at);
        newer.execution_time_ms := COALESCE(newer.execution_time_ms, older.execution_time_ms);
        newer.result_hash := COALESCE(newer.result_hash, older.result_hash);
        newer.error_message := COALESCE(newer.error_message, older.error_message);
        newer.tx_hash := COALESCE(newer.tx_hash, older.tx_hash);
        newer.block_number := COALESCE(newer.block_number, older.block_number);
    END IF;
    RETURN newer;
END $function$;
COMMENT ON FUNCTION merged_job(jobs,jobs) IS 'Returns what is known of a job from two rows: the newer one, with what only the older one knows where both mean the same worker and the same end.';

CREATE OR REPLACE FUNCTION public.microseconds(t timestamp with time zone)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT trunc(extract(epoch FROM t)::numeric * 1000000) $function$;
COMMENT ON FUNCTION microseconds(timestamp with time zone) IS 'Returns a time in microseconds since 1970, exact.';

CREATE OR REPLACE FUNCTION public.minute_counts(minutes integer[], signs integer[])
 RETURNS integer[]
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
DECLARE
    counts integer[] := array_fill(0, ARRAY[60]);
BEGIN
    FOR n IN 1 .. cardinality(minutes) LOOP
        counts[minutes[n] + 1] := counts[minutes[n] + 1] + signs[n];
    END LOOP;
    RETURN counts;
END $function$;
COMMENT ON FUNCTION minute_counts(integer[],integer[]) IS 'Returns how many heartbeats came, less those that went, by minute of an hour: minutes from 0 and their signs.';

CREATE OR REPLACE FUNCTION public.minutes_within(places integer[], heard bigint[])
 RETURNS smallint[]
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
DECLARE
    hours   bigint[] := array_fill(0::bigint, ARRAY[25], ARRAY[0]);
    line    text; -- a character a minute
    own     text;
    silent  integer; -- minutes at the end of the hour before the day
    ends    integer; -- where the stretch that they begin ends
    stretch record;
    grows   integer[] := array_fill(0, ARRAY[61]);
    growth  integer := 0;
    counts  smallint[] := array_fill(0::smallint, ARRAY[61], ARRAY[0]);
BEGIN
    FOR n IN 1 .. cardinality(places) LOOP
        hours[places[n]] := hours[places[n]] | heard[n];
    END LOOP;
    line := (SELECT string_agg(reverse(hours[h]::bit(60)::text), '' ORDER BY h) FROM generate_series(0, 24) h);
    own := substr(line, 61);
    counts[0] := length(replace(own, '0', ''));
    silent := 60 - length(rtrim(left(line, 60), '0'));
    IF silent < 60 AND left(own, 1) = '0' THEN
        ends := LEAST(silent + length(own) - length(ltrim(own, '0')), 60);
        grows[silent + 1] := grows[silent + 1] + 1;
        grows[ends + 1] := grows[ends + 1] - 1;
    END IF;
    FOR stretch IN
        SELECT LEAST(length(zeros), 60) AS minutes, count(*)::integer AS times
        FROM string_to_table(replace(replace(replace(ltrim(own, '0'), '1111', '1'), '11', '1'), '11', '1'), '1') zeros
        WHERE zeros <> '' GROUP BY 1
    LOOP
        grows[1] := grows[1] + stretch.times;
        grows[stretch.minutes + 1] := grows[stretch.minutes + 1] - stretch.times;
    END LOOP;
    FOR n IN 1 .. 60 LOOP
        growth := growth + grows[n];
        counts[n] := counts[n - 1] + growth;
    END LOOP;
    RETURN counts;
END $function$;
COMMENT ON FUNCTION minutes_within(integer[],bigint[]) IS 'Returns an array from 0 to 60: element n is the minutes of a day that had a heartbeat in them or in the n minutes before. places are the day''s hours from 1 (0: the hour before it), heard the bits of their minutes.';

CREATE OR REPLACE FUNCTION public.normalise_felts()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    given   jsonb := to_jsonb(NEW);
    changed jsonb := '{}';
    col     text;
    normal  text;
    kind    text;
    valid   boolean;
BEGIN
    FOREACH col IN ARRAY TG_ARGV LOOP
        CONTINUE WHEN given ->> col IS NULL;
        normal := lower(btrim(given ->> col, E' \t\r\n'));
        IF normal ~ '^0x[0-9a-f]{1,64}$' THEN
            normal := '0x' || lpad(substr(normal, 3), 64, '0');
        END IF;
        kind := CASE WHEN col LIKE '%address' THEN 'Starknet address' ELSE 'felt' END;
        valid := CASE kind WHEN 'felt' THEN is_felt(normal) ELSE is_address(normal) END;
        IF NOT valid THEN
            RAISE check_violation USING
                MESSAGE = format('%s.%s: %L is no %s', TG_TABLE_NAME, col, left(given ->> col, 80), kind),
                HINT = 'Write 0x and 1 to 64 hex digits, below the bound that Starknet sets'
                    || CASE kind WHEN 'felt' THEN '.' ELSE ', and not zero. Write NULL for an address that is not known.' END,
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = col,
                CONSTRAINT = TG_TABLE_NAME || '_' || col || CASE kind WHEN 'felt' THEN '_is_felt' ELSE '_is_address' END;
        END IF;
        changed := changed || jsonb_build_object(col, normal);
    END LOOP;
    RETURN jsonb_populate_record(NEW, changed);
END $function$;
COMMENT ON FUNCTION normalise_felts() IS 'Writes the columns named by its arguments as 0x and 64 lower-case hex digits, and refuses what is no address or felt with a hint.';

CREATE OR REPLACE FUNCTION public.note_gpu_energy()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO gpu_energy_changes (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at - back, 'UTC')
    FROM new_rows, (VALUES (interval '0'), (interval '5 minutes')) b (back)
    WHERE power_milliwatts IS NOT NULL
       OR EXISTS (SELECT FROM gpu_energy_hours h WHERE h.worker_address = new_rows.worker_address AND h.gpu_uuid = new_rows.gpu_uuid
                   AND h.hour = date_trunc('hour', new_rows.sampled_at - back, 'UTC'));
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION note_gpu_energy() IS 'Writes the hours that new samples touch to gpu_energy_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_delete_of_chain_payments()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, job_id AS job_key, 0::bigint AS jobs, 0::numeric AS recorded_wei, 0::numeric AS ended_us,
           CASE kind WHEN 'released' THEN sign ELSE 0 END::bigint AS releases, CASE kind WHEN 'released' THEN sign * amount ELSE 0 END AS released_wei,
           CASE kind WHEN 'paid' THEN sign ELSE 0 END::bigint AS payments, CASE kind WHEN 'paid' THEN sign * amount ELSE 0 END AS paid_wei,
           CASE WHEN kind = 'paid' AND private AND amount = 0 THEN sign ELSE 0 END::bigint AS hidden, sign * microseconds(block_time) AS told_us
    FROM (SELECT -1 AS sign, o.* FROM old_rows o) changed
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_delete_of_chain_payments() IS 'Writes the deltas of deleted payments of the chain to payment_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_delete_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_delete_of_jobs() IS 'Writes the deltas of the payments of deleted jobs to payment_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_insert_of_chain_payments()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, job_id AS job_key, 0::bigint AS jobs, 0::numeric AS recorded_wei, 0::numeric AS ended_us,
           CASE kind WHEN 'released' THEN sign ELSE 0 END::bigint AS releases, CASE kind WHEN 'released' THEN sign * amount ELSE 0 END AS released_wei,
           CASE kind WHEN 'paid' THEN sign ELSE 0 END::bigint AS payments, CASE kind WHEN 'paid' THEN sign * amount ELSE 0 END AS paid_wei,
           CASE WHEN kind = 'paid' AND private AND amount = 0 THEN sign ELSE 0 END::bigint AS hidden, sign * microseconds(block_time) AS told_us
    FROM (SELECT 1 AS sign, n.* FROM new_rows n) changed
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_insert_of_chain_payments() IS 'Writes the deltas of new payments of the chain to payment_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_insert_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_insert_of_jobs() IS 'Writes the deltas of the payments of new jobs to payment_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_update_of_chain_payments()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei), sum(payments), sum(paid_wei), sum(hidden), sum(told_us)
    FROM (
    SELECT worker_address, job_id AS job_key, 0::bigint AS jobs, 0::numeric AS recorded_wei, 0::numeric AS ended_us,
           CASE kind WHEN 'released' THEN sign ELSE 0 END::bigint AS releases, CASE kind WHEN 'released' THEN sign * amount ELSE 0 END AS released_wei,
           CASE kind WHEN 'paid' THEN sign ELSE 0 END::bigint AS payments, CASE kind WHEN 'paid' THEN sign * amount ELSE 0 END AS paid_wei,
           CASE WHEN kind = 'paid' AND private AND amount = 0 THEN sign ELSE 0 END::bigint AS hidden, sign * microseconds(block_time) AS told_us
    FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) changed
) changes
    GROUP BY worker_address, job_key
    HAVING sum(jobs) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0 OR sum(releases) <> 0 OR sum(released_wei) <> 0
        OR sum(payments) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_update_of_chain_payments() IS 'Writes the deltas of changed payments of the chain to payment_changes.';

CREATE OR REPLACE FUNCTION public.note_payments_update_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN INSERT INTO payment_changes 
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei), sum(payments), sum(paid_wei), sum(hidden), sum(told_us)
    FROM (
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
) changes
    GROUP BY worker_address, job_key
    HAVING sum(jobs) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0 OR sum(releases) <> 0 OR sum(released_wei) <> 0
        OR sum(payments) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0
; RETURN NULL; END$function$;
COMMENT ON FUNCTION note_payments_update_of_jobs() IS 'Writes the deltas of the payments of changed jobs to payment_changes.';

CREATE OR REPLACE FUNCTION public.pay_reports(workers text[], keys text[])
 RETURNS void
 LANGUAGE sql
AS $function$
WITH told AS (
    SELECT t.worker_address, t.job_key, CASE WHEN j.state IN ('matched', 'hidden') THEN
        (SELECT min(p.block_time) FROM chain_payments p WHERE p.job_id = t.job_key AND p.worker_address = t.worker_address) END AS paid_at
    FROM (SELECT DISTINCT worker_address, job_key FROM unnest(workers, keys) AS u (worker_address, job_key)) t
    LEFT JOIN reconciled_jobs j USING (worker_address, job_key)
), found AS (
    SELECT r.worker_address, r.job_id, CASE r.status WHEN 'completed' THEN told.paid_at END AS paid_at FROM reported_jobs r JOIN told USING (worker_address, job_key)
    WHERE r.paid_at IS DISTINCT FROM CASE r.status WHEN 'completed' THEN told.paid_at END ORDER BY r.worker_address, r.job_id FOR UPDATE OF r
)
UPDATE reported_jobs r SET paid_at = f.paid_at FROM found f WHERE r.worker_address = f.worker_address AND r.job_id = f.job_id
$function$;
COMMENT ON FUNCTION pay_reports(text[],text[]) IS 'Sets paid_at of reports, for pairs of a worker and a job key, by what the chain has paid.';

CREATE OR REPLACE FUNCTION public.payment_parts(changes text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (%s) changes
$$, changes)
$function$;
COMMENT ON FUNCTION payment_parts(text) IS 'Returns the columns and rows for an INSERT into payment_changes, one row a change.';

CREATE OR REPLACE FUNCTION public.payment_sums(changes text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei), sum(payments), sum(paid_wei), sum(hidden), sum(told_us)
    FROM (%s) changes
    GROUP BY worker_address, job_key
    HAVING sum(jobs) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0 OR sum(releases) <> 0 OR sum(released_wei) <> 0
        OR sum(payments) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0
$$, changes)
$function$;
COMMENT ON FUNCTION payment_sums(text) IS 'Returns the columns and rows for an INSERT into payment_changes or reconciled_jobs, summed by job.';

CREATE OR REPLACE FUNCTION public.price_claim()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.status = 'confirmed' AND NEW.tx_hash IS NOT NULL THEN
        INSERT INTO claim_prices (address, tx_hash, currency, price, source, observed_at, by_hand)
        SELECT NEW.address, NEW.tx_hash, s.currency, s.price, s.source, s.observed_at, false
        FROM sage_prices s
        WHERE s.observed_at <= NEW.claim_time AND s.observed_at > NEW.claim_time - interval '1 hour'
        ORDER BY s.observed_at DESC, s.currency
        LIMIT 1
        ON CONFLICT (address, tx_hash) DO UPDATE
        SET currency = excluded.currency, price = excluded.price, source = excluded.source, observed_at = excluded.observed_at, by_hand = false;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM claim_prices p
        WHERE p.address = OLD.address AND p.tx_hash = OLD.tx_hash AND NOT p.by_hand
          AND (TG_OP = 'DELETE' OR NEW.status <> 'confirmed' OR NEW.address <> OLD.address OR NEW.tx_hash IS DISTINCT FROM OLD.tx_hash
               OR p.observed_at > NEW.claim_time OR p.observed_at <= NEW.claim_time - interval '1 hour');
    END IF;
    RETURN NULL;
END $function$;
COMMENT ON FUNCTION price_claim() IS 'Keeps claim_prices: the newest price observed in the hour before a confirmed claim. A price entered by hand stays.';

CREATE OR REPLACE FUNCTION public.refuse_to_forget()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE feature_not_supported USING
        MESSAGE = format('%s cannot be emptied in a transaction of isolation level %s', TG_TABLE_NAME, current_setting('transaction_isolation')),
        HINT = 'Use READ COMMITTED, or DELETE the rows.';
END $function$;
COMMENT ON FUNCTION refuse_to_forget() IS 'Refuses TRUNCATE in a transaction that sees an older state of the sums.';

CREATE OR REPLACE FUNCTION public.report_rollup_statements(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, self_reported)
    SELECT worker_address, job_type, status, sum(jobs), COALESCE(sum(execution), 0), COALESCE(sum(took), 0), sum(timed), self_reported
    FROM (SELECT worker_address, job_type, status, sign AS jobs, NULL::numeric AS execution, NULL::numeric AS took, 0 AS timed, paid_at IS NULL AS self_reported
          FROM (%1$s) counted
          UNION ALL
          SELECT worker_address, job_type, status, 0, sign * execution_time_ms, sign * job_duration_ms(execution_time_ms, assigned_at, completed_at),
                 CASE WHEN job_duration_ms(execution_time_ms, assigned_at, completed_at) IS NULL THEN 0 ELSE sign END, true
          FROM (%1$s) timed WHERE status = 'completed') parts
    GROUP BY worker_address, job_type, status, self_reported
    HAVING sum(jobs) <> 0 OR sum(execution) <> 0 OR sum(took) <> 0 OR sum(timed) <> 0;

    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0), paid_at IS NULL
    FROM (%1$s) changed
    GROUP BY 1, 2, 3, 4, 7
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (%1$s) came
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (%1$s) ended
          WHERE status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT date_trunc('hour', paid_at, 'UTC'), 0, sum(sign), 0, 0
    FROM (%1$s) changed
    WHERE status = 'completed' AND paid_at IS NOT NULL
    GROUP BY 1
    HAVING sum(sign) <> 0;

    INSERT INTO earning_days (worker_address, day, jobs, amount_wei, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount), paid_at IS NULL
    FROM (%1$s) changed
    WHERE status = 'completed' AND payment_amount IS NOT NULL
    GROUP BY 1, 2, 5
    HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0;
$$, changed)
$function$;
COMMENT ON FUNCTION report_rollup_statements(text) IS 'Returns the statements that write the deltas of every sum of jobs for changed reports; see add_job_totals for changed.';

CREATE OR REPLACE FUNCTION public.reports_that_count(changed text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (%s) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$function$;
COMMENT ON FUNCTION reports_that_count(text) IS 'Returns a query for those of the changed reports that are in the sums: neither superseded nor kept apart.';

CREATE OR REPLACE FUNCTION public.roll_up_delete_of_heartbeats()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO heartbeat_changes (worker_address, worker_id, hour, beats)
    SELECT worker_address, worker_id, hour, beats
    FROM (SELECT worker_address, worker_id, date_trunc('hour', heartbeat_time, 'UTC') AS hour,
                 minute_counts(array_agg(extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer), array_agg(sign)) AS beats
          FROM (SELECT -1 AS sign, o.* FROM old_rows o) changed
          GROUP BY 1, 2, 3) hours
    WHERE beats <> array_fill(0, ARRAY[60]);
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_delete_of_heartbeats() IS 'Writes the deltas of deleted heartbeats to heartbeat_changes.';

CREATE OR REPLACE FUNCTION public.roll_up_delete_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms)
    SELECT COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0)
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          WHERE worker_address IS NOT NULL
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT hour, sum(submitted), sum(completed), sum(failed), COALESCE(sum(execution), 0)
    FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0,
                 CASE WHEN status = 'completed' THEN sign ELSE 0 END, CASE WHEN status <> 'completed' THEN sign ELSE 0 END,
                 CASE WHEN status = 'completed' THEN sign * execution_time_ms END
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status IN ('completed', 'failed', 'timeout')) changed
    GROUP BY 1
    HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_delete_of_jobs() IS 'Writes the deltas of deleted jobs to job_days, job_hours and network_hours.';

CREATE OR REPLACE FUNCTION public.roll_up_delete_of_reconciled_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN
                INSERT INTO reconciled_days AS d (worker_address, state, day, jobs, recorded_wei, chain_wei, short_wei)
                SELECT worker_address, state, day_of(at_us), sum(sign), sum(sign * recorded_wei), sum(sign * chain_wei), sum(sign * GREATEST(recorded_wei - chain_wei, 0))
                FROM (SELECT -1 AS sign, o.* FROM old_rows o) changed
                WHERE state <> 'none'
                GROUP BY 1, 2, 3
                HAVING sum(sign) <> 0 OR sum(sign * recorded_wei) <> 0 OR sum(sign * chain_wei) <> 0 OR sum(sign * GREATEST(recorded_wei - chain_wei, 0)) <> 0
                ON CONFLICT (worker_address, state, day) DO UPDATE
                SET jobs = d.jobs + excluded.jobs, recorded_wei = d.recorded_wei + excluded.recorded_wei,
                    chain_wei = d.chain_wei + excluded.chain_wei, short_wei = d.short_wei + excluded.short_wei;
                RETURN NULL;
            END$function$;
COMMENT ON FUNCTION roll_up_delete_of_reconciled_jobs() IS 'Writes what deleted rows of reconciled_jobs change to reconciled_days.';

CREATE OR REPLACE FUNCTION public.roll_up_delete_of_reward_claims()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO earning_days (worker_address, day, kind, jobs, amount_wei)
    SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END,
           sum(sign), sum(sign * amount)
    FROM (SELECT * FROM (SELECT -1 AS sign, o.* FROM old_rows o) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'confirmed'
    GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 OR sum(sign * amount) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_delete_of_reward_claims() IS 'Writes the deltas of deleted claims to earning_days.';

CREATE OR REPLACE FUNCTION public.roll_up_gpu_energy(most integer, max_milliwatts bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
    dropped timestamptz := COALESCE((SELECT dropped_before FROM partitions_dropped WHERE table_name = 'gpu_samples'), '-infinity');
    hours   bigint;
BEGIN
    WITH gone AS (DELETE FROM gpu_energy_changes RETURNING *)
    INSERT INTO gpu_energy_hours (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, gone.hour FROM gone WHERE gone.hour >= dropped
    ON CONFLICT (worker_address, gpu_uuid, hour) DO UPDATE SET due = 1;

    UPDATE gpu_energy_hours h SET due = 2
    FROM (SELECT worker_address, gpu_uuid, hour FROM gpu_energy_hours WHERE due > 0 ORDER BY due, hour LIMIT most) d
    WHERE h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    UPDATE gpu_energy_hours h SET joules = e.joules, covered_seconds = e.seconds
    FROM gpu_energy_hours d CROSS JOIN LATERAL (
        SELECT COALESCE(sum((power + next_power) / 2000.0 * seconds), 0)::double precision AS joules, COALESCE(sum(seconds), 0)::double precision AS seconds
        FROM (SELECT sampled_at, power, lead(power) OVER later AS next_power,
                     extract(epoch FROM lead(sampled_at) OVER later - sampled_at) AS seconds
              FROM (SELECT sampled_at, CASE WHEN power_milliwatts BETWEEN 0 AND max_milliwatts THEN power_milliwatts END AS power,
                           count(power_milliwatts) OVER (PARTITION BY worker_id) AS tells
                    FROM gpu_samples s
                    WHERE s.worker_address = d.worker_address AND s.gpu_uuid = d.gpu_uuid
                      AND s.sampled_at >= d.hour AND s.sampled_at < d.hour + interval '65 minutes') said
              WHERE tells > 0
              WINDOW later AS (ORDER BY sampled_at)) pairs
        WHERE sampled_at < d.hour + interval '1 hour' AND seconds <= 300 AND power IS NOT NULL AND next_power IS NOT NULL) e
    WHERE d.due = 2 AND h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    INSERT INTO gpu_energy_days (worker_address, day, gpu_uuid, joules, covered_seconds)
    SELECT h.worker_address, d.day, h.gpu_uuid, sum(h.joules), sum(h.covered_seconds)
    FROM (SELECT DISTINCT worker_address, gpu_uuid, (hour AT TIME ZONE 'UTC')::date AS day FROM gpu_energy_hours WHERE due = 2) d
    JOIN gpu_energy_hours h ON h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid
        AND h.hour >= d.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
    ON CONFLICT (worker_address, day, gpu_uuid) DO UPDATE SET joules = excluded.joules, covered_seconds = excluded.covered_seconds;

    UPDATE gpu_energy_hours SET due = 0 WHERE due = 2;
    GET DIAGNOSTICS hours = ROW_COUNT;
    RETURN hours;
END $function$;
COMMENT ON FUNCTION roll_up_gpu_energy(integer,bigint) IS 'Integrates power over the samples of at most that many changed hours into gpu_energy_hours, adds up their days, and returns how many hours it did. Gaps over 5 minutes and powers above the bound are left out.';

CREATE OR REPLACE FUNCTION public.roll_up_insert_of_heartbeats()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO heartbeat_changes (worker_address, worker_id, hour, beats)
    SELECT worker_address, worker_id, hour, beats
    FROM (SELECT worker_address, worker_id, date_trunc('hour', heartbeat_time, 'UTC') AS hour,
                 minute_counts(array_agg(extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer), array_agg(sign)) AS beats
          FROM (SELECT 1 AS sign, n.* FROM new_rows n) changed
          GROUP BY 1, 2, 3) hours
    WHERE beats <> array_fill(0, ARRAY[60]);
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_insert_of_heartbeats() IS 'Writes the deltas of new heartbeats to heartbeat_changes.';

CREATE OR REPLACE FUNCTION public.roll_up_insert_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms)
    SELECT COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0)
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          WHERE worker_address IS NOT NULL
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT hour, sum(submitted), sum(completed), sum(failed), COALESCE(sum(execution), 0)
    FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0,
                 CASE WHEN status = 'completed' THEN sign ELSE 0 END, CASE WHEN status <> 'completed' THEN sign ELSE 0 END,
                 CASE WHEN status = 'completed' THEN sign * execution_time_ms END
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status IN ('completed', 'failed', 'timeout')) changed
    GROUP BY 1
    HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_insert_of_jobs() IS 'Writes the deltas of new jobs to job_days, job_hours and network_hours.';

CREATE OR REPLACE FUNCTION public.roll_up_insert_of_reconciled_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN
                INSERT INTO reconciled_days AS d (worker_address, state, day, jobs, recorded_wei, chain_wei, short_wei)
                SELECT worker_address, state, day_of(at_us), sum(sign), sum(sign * recorded_wei), sum(sign * chain_wei), sum(sign * GREATEST(recorded_wei - chain_wei, 0))
                FROM (SELECT 1 AS sign, n.* FROM new_rows n) changed
                WHERE state <> 'none'
                GROUP BY 1, 2, 3
                HAVING sum(sign) <> 0 OR sum(sign * recorded_wei) <> 0 OR sum(sign * chain_wei) <> 0 OR sum(sign * GREATEST(recorded_wei - chain_wei, 0)) <> 0
                ON CONFLICT (worker_address, state, day) DO UPDATE
                SET jobs = d.jobs + excluded.jobs, recorded_wei = d.recorded_wei + excluded.recorded_wei,
                    chain_wei = d.chain_wei + excluded.chain_wei, short_wei = d.short_wei + excluded.short_wei;
                RETURN NULL;
            END$function$;
COMMENT ON FUNCTION roll_up_insert_of_reconciled_jobs() IS 'Writes what new rows of reconciled_jobs change to reconciled_days.';

CREATE OR REPLACE FUNCTION public.roll_up_insert_of_reward_claims()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO earning_days (worker_address, day, kind, jobs, amount_wei)
    SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END,
           sum(sign), sum(sign * amount)
    FROM (SELECT * FROM (SELECT 1 AS sign, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'confirmed'
    GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 OR sum(sign * amount) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_insert_of_reward_claims() IS 'Writes the deltas of new claims to earning_days.';

CREATE OR REPLACE FUNCTION public.roll_up_update_of_heartbeats()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO heartbeat_changes (worker_address, worker_id, hour, beats)
    SELECT worker_address, worker_id, hour, beats
    FROM (SELECT worker_address, worker_id, date_trunc('hour', heartbeat_time, 'UTC') AS hour,
                 minute_counts(array_agg(extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer), array_agg(sign)) AS beats
          FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) changed
          GROUP BY 1, 2, 3) hours
    WHERE beats <> array_fill(0, ARRAY[60]);
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_update_of_heartbeats() IS 'Writes the deltas of changed heartbeats to heartbeat_changes.';

CREATE OR REPLACE FUNCTION public.roll_up_update_of_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms)
    SELECT COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0)
    FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          WHERE worker_address IS NOT NULL
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT hour, sum(submitted), sum(completed), sum(failed), COALESCE(sum(execution), 0)
    FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') came
          UNION ALL
          SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0,
                 CASE WHEN status = 'completed' THEN sign ELSE 0 END, CASE WHEN status <> 'completed' THEN sign ELSE 0 END,
                 CASE WHEN status = 'completed' THEN sign * execution_time_ms END
          FROM (SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') ended
          WHERE status IN ('completed', 'failed', 'timeout')) changed
    GROUP BY 1
    HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_update_of_jobs() IS 'Writes the deltas of changed jobs to job_days, job_hours and network_hours.';

CREATE OR REPLACE FUNCTION public.roll_up_update_of_reconciled_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN
                INSERT INTO reconciled_days AS d (worker_address, state, day, jobs, recorded_wei, chain_wei, short_wei)
                SELECT worker_address, state, day_of(at_us), sum(sign), sum(sign * recorded_wei), sum(sign * chain_wei), sum(sign * GREATEST(recorded_wei - chain_wei, 0))
                FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) changed
                WHERE state <> 'none'
                GROUP BY 1, 2, 3
                HAVING sum(sign) <> 0 OR sum(sign * recorded_wei) <> 0 OR sum(sign * chain_wei) <> 0 OR sum(sign * GREATEST(recorded_wei - chain_wei, 0)) <> 0
                ON CONFLICT (worker_address, state, day) DO UPDATE
                SET jobs = d.jobs + excluded.jobs, recorded_wei = d.recorded_wei + excluded.recorded_wei,
                    chain_wei = d.chain_wei + excluded.chain_wei, short_wei = d.short_wei + excluded.short_wei;
                RETURN NULL;
            END$function$;
COMMENT ON FUNCTION roll_up_update_of_reconciled_jobs() IS 'Writes what changed rows of reconciled_jobs change to reconciled_days.';

CREATE OR REPLACE FUNCTION public.roll_up_update_of_reward_claims()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    INSERT INTO earning_days (worker_address, day, kind, jobs, amount_wei)
    SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END,
           sum(sign), sum(sign * amount)
    FROM (SELECT * FROM (SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) judged WHERE kept_apart IS DISTINCT FROM 'ahead') changed
    WHERE status = 'confirmed'
    GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 OR sum(sign * amount) <> 0;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION roll_up_update_of_reward_claims() IS 'Writes the deltas of changed claims to earning_days.';

CREATE OR REPLACE FUNCTION public.supersede_reports_on_delete()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    IF NOT EXISTS (SELECT FROM reported_jobs) THEN
        RETURN NULL;
    END IF;
    INSERT INTO report_checks (worker_address, job_key, job_id)
    SELECT p.worker_address, p.job_key, p.job_id
    FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, job_id FROM (SELECT job_id, worker_address FROM old_rows) changed WHERE worker_address IS NOT NULL) p
    WHERE EXISTS (SELECT FROM reported_jobs r WHERE r.worker_address = p.worker_address AND r.job_key = p.job_key);
    IF FOUND AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        WITH told AS (
            SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = changed.job_id AND j.worker_address = changed.worker_address)) AS there
            FROM (SELECT job_id, worker_address FROM old_rows) changed WHERE worker_address IS NOT NULL GROUP BY 1, 2
        ), free AS (
            SELECT r.worker_address, r.job_id, told.there FROM reported_jobs r JOIN told USING (worker_address, job_key)
            WHERE r.superseded <> told.there FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE reported_jobs r SET superseded = free.there FROM free WHERE r.worker_address = free.worker_address AND r.job_id = free.job_id;
    END IF;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION supersede_reports_on_delete() IS 'Writes the reports that deleted jobs concern to report_checks, and marks those that nobody holds at once.';

CREATE OR REPLACE FUNCTION public.supersede_reports_on_insert()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    IF NOT EXISTS (SELECT FROM reported_jobs) THEN
        RETURN NULL;
    END IF;
    INSERT INTO report_checks (worker_address, job_key, job_id)
    SELECT p.worker_address, p.job_key, p.job_id
    FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, job_id FROM (SELECT job_id, worker_address FROM new_rows) changed WHERE worker_address IS NOT NULL) p
    WHERE EXISTS (SELECT FROM reported_jobs r WHERE r.worker_address = p.worker_address AND r.job_key = p.job_key);
    IF FOUND AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        WITH told AS (
            SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = changed.job_id AND j.worker_address = changed.worker_address)) AS there
            FROM (SELECT job_id, worker_address FROM new_rows) changed WHERE worker_address IS NOT NULL GROUP BY 1, 2
        ), free AS (
            SELECT r.worker_address, r.job_id, told.there FROM reported_jobs r JOIN told USING (worker_address, job_key)
            WHERE r.superseded <> told.there FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE reported_jobs r SET superseded = free.there FROM free WHERE r.worker_address = free.worker_address AND r.job_id = free.job_id;
    END IF;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION supersede_reports_on_insert() IS 'Writes the reports that new jobs concern to report_checks, and marks those that nobody holds at once.';

CREATE OR REPLACE FUNCTION public.supersede_reports_on_update()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$BEGIN 
    IF NOT EXISTS (SELECT FROM reported_jobs) THEN
        RETURN NULL;
    END IF;
    INSERT INTO report_checks (worker_address, job_key, job_id)
    SELECT p.worker_address, p.job_key, p.job_id
    FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, job_id FROM ((SELECT job_id, worker_address FROM new_rows EXCEPT SELECT job_id, worker_address FROM old_rows) UNION (SELECT job_id, worker_address FROM old_rows EXCEPT SELECT job_id, worker_address FROM new_rows)) changed WHERE worker_address IS NOT NULL) p
    WHERE EXISTS (SELECT FROM reported_jobs r WHERE r.worker_address = p.worker_address AND r.job_key = p.job_key);
    IF FOUND AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        WITH told AS (
            SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = changed.job_id AND j.worker_address = changed.worker_address)) AS there
            FROM ((SELECT job_id, worker_address FROM new_rows EXCEPT SELECT job_id, worker_address FROM old_rows) UNION (SELECT job_id, worker_address FROM old_rows EXCEPT SELECT job_id, worker_address FROM new_rows)) changed WHERE worker_address IS NOT NULL GROUP BY 1, 2
        ), free AS (
            SELECT r.worker_address, r.job_id, told.there FROM reported_jobs r JOIN told USING (worker_address, job_key)
            WHERE r.superseded <> told.there FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE reported_jobs r SET superseded = free.there FROM free WHERE r.worker_address = free.worker_address AND r.job_id = free.job_id;
    END IF;
 RETURN NULL; END$function$;
COMMENT ON FUNCTION supersede_reports_on_update() IS 'Writes the reports that changed jobs concern to report_checks, and marks those that nobody holds at once.';

CREATE OR REPLACE FUNCTION public.supersede_reports_statements(pairs text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($$
    IF NOT EXISTS (SELECT FROM reported_jobs) THEN
        RETURN NULL;
    END IF;
    INSERT INTO report_checks (worker_address, job_key, job_id)
    SELECT p.worker_address, p.job_key, p.job_id
    FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, job_id FROM (%1$s) changed WHERE worker_address IS NOT NULL) p
    WHERE EXISTS (SELECT FROM reported_jobs r WHERE r.worker_address = p.worker_address AND r.job_key = p.job_key);
    IF FOUND AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        WITH told AS (
            SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = changed.job_id AND j.worker_address = changed.worker_address)) AS there
            FROM (%1$s) changed WHERE worker_address IS NOT NULL GROUP BY 1, 2
        ), free AS (
            SELECT r.worker_address, r.job_id, told.there FROM reported_jobs r JOIN told USING (worker_address, job_key)
            WHERE r.superseded <> told.there FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE reported_jobs r SET superseded = free.there FROM free WHERE r.worker_address = free.worker_address AND r.job_id = free.job_id;
    END IF;
$$, pairs)
$function$;
COMMENT ON FUNCTION supersede_reports_statements(text) IS 'Returns the body of the triggers that write report_checks for changed jobs and mark reports superseded at once where nobody holds them.';

CREATE OR REPLACE FUNCTION public.told_jobs(list jsonb)
 RETURNS SETOF jobs
 LANGUAGE sql
 STABLE
AS $function$
SELECT j.*
FROM jsonb_populate_recordset(NULL::jobs, list) t
CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(
    'created_at', COALESCE(t.created_at, t.assigned_at, t.completed_at - COALESCE(t.execution_time_ms, 0) * interval '1 millisecond', t.updated_at, now()),
    'job_type', COALESCE(t.job_type, ''))) j
ORDER BY j.job_id
$function$;
COMMENT ON FUNCTION told_jobs(jsonb) IS 'Returns reported jobs as rows of jobs in the order of their identifiers, with created_at derived from their other times where it is missing.';

CREATE OR REPLACE FUNCTION public.write_job_triggers(counted boolean)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    act     record;
    jobs    text;
    claims  text;
    head    text := 'CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS %L';
BEGIN
    FOR act IN SELECT * FROM (VALUES
        ('insert', 'SELECT 1 AS sign, n.* FROM new_rows n'),
        ('update', 'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n'),
        ('delete', 'SELECT -1 AS sign, o.* FROM old_rows o')) a (event, changed)
    LOOP
        jobs := CASE WHEN counted THEN jobs_that_count(act.changed) ELSE act.changed END;
        claims := CASE WHEN counted THEN claims_that_count(act.changed) ELSE act.changed END;
        EXECUTE format(head, 'roll_up_' || act.event || '_of_jobs', current_schema(), 'BEGIN ' || job_rollup_statements(jobs) || ' RETURN NULL; END');
        EXECUTE format(head, 'roll_up_' || act.event || '_of_reward_claims', current_schema(), 'BEGIN ' || claim_rollup_statements(claims) || ' RETURN NULL; END');
        EXECUTE format(head, 'note_payments_' || act.event || '_of_jobs', current_schema(), 'BEGIN INSERT INTO payment_changes '
            || CASE act.event WHEN 'update' THEN payment_sums(job_payments(jobs)) ELSE payment_parts(job_payments(jobs)) END || '; RETURN NULL; END');
    END LOOP;
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION judge_job() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION judge_claim() SET search_path = %I, pg_temp', current_schema());
END $function$;
COMMENT ON FUNCTION write_job_triggers(boolean) IS 'Writes the functions behind the triggers of jobs and reward_claims anew; counted leaves out the rows that are kept apart.';
