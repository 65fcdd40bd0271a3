using System.Diagnostics.Metrics;
using Telemetry.Alerting.Relay;
using Telemetry.Cloud.Hosting;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Ingress;
using Telemetry.Ingress.Sessions;
using Telemetry.MqttSessions;
using Telemetry.Processing;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Storage.Postgres;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Health;

/// <summary>
/// All instruments of a cloud process; docs/metrics.md lists them. They read counters that the parts keep anyway.
/// </summary>
internal sealed class CloudMetrics : IDisposable
{
    public const string MeterName = "Telemetry.Cloud";

    private readonly Meter _meter;

    public CloudMetrics(IMeterFactory factory) => _meter = factory.Create(MeterName);

    public void Watch(JetStreamConnection nats)
    {
        var counters = nats.Counters;
        Gauge(
            "telemetry.nats.connected", () => nats.IsConnected ? 1 : 0,
            "1 while a server is ready");
        Counter(
            "telemetry.nats.reconnects", () => counters.Reconnects, "{reconnect}", "Links established after the first");
        Counter(
            "telemetry.nats.request.timeouts",
            () => counters.RequestTimeouts,
            "{request}",
            "Requests and appends that ran out of time");
        Counter(
            "telemetry.nats.publishes.discarded",
            () => counters.AppendsUnanswered,
            "{message}",
            "Appends under way when a link broke");
        Counter("telemetry.nats.sent", () => counters.BytesSent, "By", "Bytes written to servers");
        Counter("telemetry.nats.received", () => counters.BytesReceived, "By", "Bytes read from servers");
    }

    public void Watch(IngressCounters counters)
    {
        var events = Enum.GetValues<IngressEvent>().Where(what => what != IngressEvent.ByteAppended)
            .Select(what => (What: what, Tag: new KeyValuePair<string, object?>("event", Words(what.ToString()))))
            .ToArray();
        _meter.CreateObservableCounter(
            "telemetry.ingress.events",
            () => events.Select(e => new Measurement<long>(counters[e.What], e.Tag)),
            "{event}",
            "What the ingress did, by kind");
        Counter(
            "telemetry.ingress.appended", () => counters[IngressEvent.ByteAppended], "By", "Bytes that the log took");
    }

    public void Watch(PostgresStore store) => Counter(
        "telemetry.storage.partitions.left_to_default", () => store.PartitionsLeftToDefault, "{partition}",
        "Periods whose rows go to the default partition, since none of their own could be made");

    public void Watch(MqttIngress ingress)
    {
        var counters = ingress.ListenerCounters;
        Gauge(
            "telemetry.mqtt.connections", () => ingress.Connections, "Connections now, those not yet let in included");
        Gauge(
            "telemetry.ingress.password.checks.waiting",
            () => ingress.Passwords?.Waiting ?? 0,
            "Passwords that wait to be checked");
        Gauge(
            "telemetry.ingress.password.senders",
            () => ingress.Passwords?.Senders ?? 0,
            "Senders whose wrong passwords are remembered");
        Counter(
            "telemetry.mqtt.messages", () => counters.MessagesReceived, "{message}", "Messages taken from sessions");
        Counter(
            "telemetry.mqtt.publishes.refused",
            () => counters.UnauthorizedPublishes,
            "{message}",
            "Messages refused before they were taken: QoS 0");
        Counter(
            "telemetry.mqtt.subscriptions.refused",
            () => counters.RefusedSubscriptions,
            "{subscription}",
            "Filters that were not granted");
        Counter(
            "telemetry.mqtt.application.errors",
            () => counters.ApplicationErrors,
            "{error}",
            "Calls into the ingress that failed");
        _meter.CreateObservableCounter(
            "telemetry.mqtt.refused",
            () => ByCode(counters.Refused),
            "{connection}",
            "Connections refused, by the CONNACK's reason code");
        _meter.CreateObservableCounter(
            "telemetry.mqtt.protocol.errors",
            () => ByCode(counters.ProtocolErrors),
            "{connection}",
            "Connections ended for broken bytes or limits, by reason code");
        _meter.CreateObservableCounter(
            "telemetry.mqtt.ended",
            () => new Measurement<long>[]
            {
                new(counters.TakeOvers, Tag("why", "taken_over")),
                new(counters.KeepAliveTimeouts, Tag("why", "keep_alive")),
                new(counters.StalledOutputs, Tag("why", "output_stalled")),
                new(counters.ConnectTimeouts, Tag("why", "connect_timeout")),
                new(counters.TlsFailures, Tag("why", "tls")),
                new(counters.ConnectionsOverLimit, Tag("why", "over_limit")),
            },
            "{connection}",
            "Connections ended or turned away, by why");
    }

    /// <summary>The processors of this process, summed up.</summary>
    public void Watch(IReadOnlyList<ProcessorCounters> processors)
    {
        _meter.CreateObservableCounter(
            "telemetry.processor.readings",
            () => new Measurement<long>[]
            {
                new(Sum(c => c.Stored), Tag("outcome", "stored")),
                new(Sum(c => c.Rejected), Tag("outcome", "rejected")),
                new(Sum(c => c.Dropped), Tag("outcome", "dropped")),
                new(Sum(c => c.Lost), Tag("outcome", "lost")),
                new(Sum(c => c.Recovered), Tag("outcome", "recovered")),
            },
            "{reading}",
            "Readings settled by this process, by outcome");
        _meter.CreateObservableCounter(
            "telemetry.processor.frames.odd",
            () => new Measurement<long>[]
            {
                new(Sum(c => c.Duplicates), Tag("kind", "duplicate")), new(Sum(c => c.Forks), Tag("kind", "fork")),
                new(Sum(c => c.Malformed), Tag("kind", "malformed")),
                new(Sum(c => c.SchemasNeeded), Tag("kind", "schema_needed")),
                new(Sum(c => c.SchemasRefused), Tag("kind", "schema_refused")),
                new(Sum(c => c.SeriesRefused), Tag("kind", "series_refused")),
            },
            "{frame}",
            "Frames that settled nothing, by kind");
        Counter("telemetry.processor.commits", () => Sum(c => c.Commits), "{transaction}", "Transactions committed");
        Counter(
            "telemetry.processor.not_owner", () => Sum(c => c.NotOwner), "{transaction}",
            "Transactions given up to another owner");
        Counter(
            "telemetry.processor.errors", () => Sum(c => c.Errors), "{error}",
            "Errors of database or log that were waited out");
        Counter(
            "telemetry.processor.data_faults",
            () => Sum(c => c.DataFaults),
            "{transaction}",
            "Transactions refused for their data, and tried in another way");
        Counter(
            "telemetry.processor.rewinds", () => Sum(c => c.Rewinds), "{rewind}",
            "Streams read from their first message again");
        Counter(
            "telemetry.processor.refused", () => Sum(c => c.Refused), "{message}",
            "Messages of gateways whose row names another partition");
        Counter("telemetry.processor.answers", () => Sum(c => c.Answers), "{answer}", "Hellos answered");
        Gauge("telemetry.processor.partitions", () => Sum(c => c.Partitions), "Partitions owned now");
        Gauge(
            "telemetry.processor.partitions.free", () => Sum(c => c.PartitionsOfNobody),
            "Partitions that this process asks for and nobody owns");
        Counter(
            "telemetry.processor.holders.ended", () => Sum(c => c.HoldersEnded), "{session}",
            "Database sessions of frozen processes that were ended");
        Watch([.. processors.Select(p => p.Alerts)]);

        long Sum(Func<ProcessorCounters, long> count) => processors.Sum(count);
    }

    public void Watch(AlertOutboxCounters counters)
    {
        Gauge(
            "telemetry.alerts.outbox.waiting", () => counters.Waiting,
            "Alerts that no relay has published, of the whole database");
        _meter.CreateObservableCounter(
            "telemetry.alerts.outbox.trimmed",
            () => new Measurement<long>[]
            {
                new(counters.Trimmed, Tag("published", "true")),
                new(counters.TrimmedUnpublished, Tag("published", "false")),
            },
            "{transition}",
            "Rows of the alert outbox that were removed");
    }

    public void Watch(TraceExportCounters counters)
    {
        _meter.CreateObservableCounter(
            "telemetry.traces.spans",
            () => new Measurement<long>[]
            {
                new(counters.Exported, Tag("outcome", "exported")), new(counters.Failed, Tag("outcome", "failed")),
                new(counters.Dropped, Tag("outcome", "dropped")),
            },
            "{span}",
            "Spans of this process, by what became of them");
        Gauge("telemetry.traces.waiting", () => counters.Waiting, "Spans that wait for the collector");
    }

    private void Watch(IReadOnlyList<AlertCounters> processors)
    {
        _meter.CreateObservableCounter(
            "telemetry.alerts.transitions",
            () => new Measurement<long>[]
            {
                new(Sum(c => c.Firing), Tag("kind", "firing")), new(Sum(c => c.Resolved), Tag("kind", "resolved")),
            },
            "{transition}",
            "Alert transitions committed, by kind");
        Counter("telemetry.alerts.late", () => Sum(c => c.Late), "{transition}", "Those that are marked late");
        Counter(
            "telemetry.alerts.suppressed",
            () => Sum(c => c.Suppressed),
            "{transition}",
            "Transitions of instances that opened and closed within a frame that had opened too many");
        Counter(
            "telemetry.alerts.older.frames",
            () => Sum(c => c.OlderFrames),
            "{frame}",
            "Frames with readings no newer than a rule's state, which they left untouched");
        Counter(
            "telemetry.alerts.older.readings", () => Sum(c => c.OlderReadings), "{reading}",
            "Those readings, once for each rule");
        Counter(
            "telemetry.alerts.ahead.readings",
            () => Sum(c => c.AheadReadings),
            "{reading}",
            "Readings of watched series dated too far ahead to be evaluated");
        Counter(
            "telemetry.alerts.unwatched", () => Sum(c => c.Unwatched), "{pair}",
            "Pairs of rule and series turned away at the limit");

        long Sum(Func<AlertCounters, long> count) => processors.Sum(count);
    }

    public void Watch(RelayCounters counters)
    {
        _meter.CreateObservableCounter(
            "telemetry.relay.alerts",
            () => new Measurement<long>[]
            {
                new(counters.Published, Tag("outcome", "published")), new(counters.Skipped, Tag("outcome", "skipped")),
                new(counters.Unreadable, Tag("outcome", "unreadable")), new(counters.Gone, Tag("outcome", "gone")),
            },
            "{alert}",
            "Rows of the alert outbox passed by this process, by outcome");
        _meter.CreateObservableCounter(
            "telemetry.relay.transactions",
            () => new Measurement<long>[]
            {
                new(counters.Transactions, Tag("outcome", "committed")),
                new(counters.Aborted, Tag("outcome", "aborted")),
            },
            "{transaction}",
            "Transactions of Kafka, by outcome");
        Counter(
            "telemetry.relay.fenced", () => counters.Fenced, "{fencing}", "Times that a younger relay fenced this one");
        Counter(
            "telemetry.relay.errors", () => counters.Errors, "{error}",
            "Errors of Kafka or the database that were waited out");
        Counter(
            "telemetry.relay.put_backs", () => counters.PutBacks, "{put_back}",
            "Times that the database was found put back");
        Counter(
            "telemetry.relay.read_backs", () => counters.ReadBacks, "{read_back}",
            "Times that the topic was read back");
        Gauge(
            "telemetry.relay.orphans", () => counters.Orphans,
            "Alerts in the topic that the database lacked at the last read-back");
        Gauge("telemetry.relay.waiting", () => counters.Waiting, "Alerts that wait to be published");
        Gauge("telemetry.relay.leading", () => counters.Leading, "1 while this relay publishes");
    }

    /// <summary>The numbers of series.</summary>
    public void Watch(SeriesNumberWatch numbers) => Gauge(
        "telemetry.series.numbers.given", () => numbers.Greatest,
        "The greatest number that a series or device of the database has, of 2147483647; as last looked");

    public void Dispose() => _meter.Dispose();

    /// <summary><c>FrameAppended</c> → <c>frame_appended</c>.</summary>
    private static string Words(string name) => string.Concat(name.Select((letter, i) =>
        char.IsUpper(letter) ? $"{(i > 0 ? "_" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));

    private static IEnumerable<Measurement<long>> ByCode(Func<MqttReasonCode, long> count) =>
        from code in Enum.GetValues<MqttReasonCode>()
        let value = count(code)
        where value > 0
        select new Measurement<long>(value, Tag("code", $"0x{(byte)code:x2}"));

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private void Counter(string name, Func<long> value, string unit, string description) =>
        _meter.CreateObservableCounter(name, value, unit, description);

    private void Gauge(string name, Func<long> value, string description) =>
        _meter.CreateObservableGauge(name, value, description: description);
}
