using Telemetry.Diagnostics.Tracing;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Inputs.Generator;
using Telemetry.Inputs.HostMetrics;
using Telemetry.Inputs.Http;
using Telemetry.Model.Identity;

namespace Telemetry.Agent.Configuration;

/// <summary>Everything that an agent is started with; see deploy/systemd/agent.json for a sample.</summary>
public sealed record AgentOptions
{
    /// <summary>Who this gateway is. Key <c>gateway</c>, required.</summary>
    public GatewayId Gateway { get; init; }

    /// <summary>The outbox's file. Key <c>outbox.file</c>, required.</summary>
    public string OutboxFile { get; init; } = "";

    /// <summary>
    /// What the outbox keeps in reserve for draining a full disk, see
    /// <see cref="SqliteOutboxOptions.ReserveBytes"/>; by its quota unless given. 0, for simulated fleets whose
    /// thousand files share a disk: nothing.
    /// </summary>
    public int OutboxReserveBytes
    {
        get => field >= 0 ? field : SqliteOutboxOptions.For(Outbox.QuotaBytes).ReserveBytes;
        init;
    } = -1;

    /// <summary>Limits of the outbox. Section <c>outbox</c>.</summary>
    public OutboxOptions Outbox { get; init; } = new();

    /// <summary>The way up. Section <c>uplink</c>.</summary>
    public MqttUplinkOptions Uplink { get; init; } = new() { Host = "" };

    /// <summary>How frames are sent over it. Section <c>uplink</c> too.</summary>
    public UplinkOptions UplinkSending { get; init; } = new();

    /// <summary>
    /// Port of 127.0.0.1 for health, metrics and status. Key <c>status.port</c>; 0 (default): none.
    /// </summary>
    public int StatusPort { get; init; }

    /// <summary>
    /// How long a stop may take; then the process ends as it is, and the next run goes on. Key <c>stopTimeout</c>,
    /// default 10 s.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The generator; null without a section <c>generator</c>.</summary>
    public GeneratorOptions? Generator { get; init; }

    /// <summary>The machine's own metrics; null without a section <c>hostMetrics</c>.</summary>
    public HostMetricsOptions? HostMetrics { get; init; }

    /// <summary>Line protocol by HTTP; null without a section <c>http</c>.</summary>
    public HttpInputOptions? Http { get; init; }

    /// <summary>
    /// Where spans go. Section <c>traces</c>; none go anywhere (default) without its key <c>endpoint</c>.
    /// </summary>
    public TraceExportOptions Traces { get; init; } = new();

    /// <summary>
    /// File of the journal in which all inputs note what they offer and what was acknowledged, for tests (24 bytes a
    /// reading, never shortened). Key <c>journal</c>; empty (default): none.
    /// </summary>
    public string Journal { get; init; } = "";

    /// <summary>Takes the options out of a configuration; problems stay in the reader.</summary>
    public static AgentOptions Read(ConfigurationReader reader)
    {
        var name = reader.Required("gateway");
        if (!GatewayId.TryParse(name, out var gateway) && name.Length > 0)
        {
            reader.Problem("gateway", $"'{name}' is none: 1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -");
        }

        var options = ReadShared(reader) with
        {
            Gateway = gateway,
            OutboxFile = reader.Required("outbox.file"),
            Http = reader.Has("http") ? HttpSection.Read(reader) : null,
            Journal = reader.Text("journal", ""),
        };
        reader.End();
        return options;
    }

    /// <summary>What the agents of one process may have in common: everything but names and files.</summary>
    public static AgentOptions ReadShared(ConfigurationReader reader) => new()
    {
        Outbox = ReadOutbox(reader),
        Uplink = UplinkSection.Read(reader),
        UplinkSending = ReadUplink(reader),
        StatusPort = reader.Number("status.port", 0, 0, 65535),
        StopTimeout = reader.Span("stopTimeout", TimeSpan.FromSeconds(10)),
        Traces = TraceSection.Read(reader),
        Generator = reader.Has("generator") ? ReadGenerator(reader) : null,
        HostMetrics = reader.Has("hostMetrics") ? ReadHostMetrics(reader) : null,
    };

    private static OutboxOptions ReadOutbox(ConfigurationReader reader)
    {
        var standard = new OutboxOptions();
        var options = new OutboxOptions
        {
            CommitDeadline = reader.Span("outbox.commitDeadline", standard.CommitDeadline),
            SegmentReadingsMax = reader.Number("outbox.segmentReadingsMax", standard.SegmentReadingsMax, 1, 8192),
            SegmentBytesMax = (int)reader.Bytes(
                "outbox.segmentBytesMax", standard.SegmentBytesMax, 8 * 1024, 60 * 1024),
            QuotaBytes = reader.Bytes("outbox.quotaBytes", standard.QuotaBytes, 1024 * 1024, 1L << 40),
            AllowedLateness = reader.Span("outbox.allowedLateness", standard.AllowedLateness),
            IdleCommitInterval = reader.Span("outbox.idleCommitInterval", standard.IdleCommitInterval),
            RequestsMax = reader.Number("outbox.requestsMax", standard.RequestsMax, 1, 1024 * 1024),
            RequestsKept = reader.Span("outbox.requestsKept", standard.RequestsKept),
            RequestsFull = reader.Choice("outbox.requestsFull", standard.RequestsFull),
            TestDropEvery = TestDropEvery(reader),
        };
        try
        {
            return options.Validated();
        }
        catch (ArgumentException e)
        {
            reader.Problem("outbox", e.Message);
            return standard;
        }
    }

    private static UplinkOptions ReadUplink(ConfigurationReader reader)
    {
        var standard = new UplinkOptions();
        var options = new UplinkOptions
        {
            InFlightMax = reader.Number("uplink.inFlightMax", standard.InFlightMax, 2, 1024),
            Heartbeat = reader.Span("uplink.heartbeat", standard.Heartbeat),
            UnsettledAfter = reader.Span("uplink.unsettledAfter", standard.UnsettledAfter),
            AnswerTimeout = reader.Span("uplink.answerTimeout", standard.AnswerTimeout),
            BackoffMin = reader.Span("uplink.backoffMin", standard.BackoffMin),
            BackoffMax = reader.Span("uplink.backoffMax", standard.BackoffMax),
        };
        (string Key, TimeSpan Value)[] spans =
        [
            ("heartbeat", options.Heartbeat), ("unsettledAfter", options.UnsettledAfter),
            ("answerTimeout", options.AnswerTimeout), ("backoffMin", options.BackoffMin), ("backoffMax",
                options.BackoffMax),
        ];
        foreach (var (key, value) in spans.Where(
            s => s.Value < TimeSpan.FromMilliseconds(100) || s.Value > TimeSpan.FromHours(1)))
        {
            reader.Problem($"uplink.{key}", $"{value} is not within 100 ms to 1 h");
        }

        if (options.BackoffMin > options.BackoffMax)
        {
            reader.Problem("uplink.backoffMin", "is longer than backoffMax");
        }

        return options;
    }

    private static GeneratorOptions ReadGenerator(ConfigurationReader reader)
    {
        var standard = new GeneratorOptions();
        var options = new GeneratorOptions
        {
            ReadingsPerSecond = reader.Number("generator.readingsPerSecond", standard.ReadingsPerSecond, 1, 1_000_000),
            Devices = reader.Number("generator.devices", standard.Devices, 1, 10_000),
            SeriesPerDevice = reader.Number("generator.seriesPerDevice", standard.SeriesPerDevice, 1, 1_000),
            Interval = reader.Span("generator.interval", standard.Interval),
            CommitDeadline = reader.Span("generator.commitDeadline", standard.CommitDeadline),
            CriticalEvery = reader.Number("generator.criticalEvery", standard.CriticalEvery, 0, int.MaxValue),
            UnstorableTextEvery = reader.Number(
                "generator.unstorableTextEvery", standard.UnstorableTextEvery, 0, int.MaxValue),
            OldTimeEvery = reader.Number("generator.oldTimeEvery", standard.OldTimeEvery, 0, int.MaxValue),
            ReadingsMax = reader.Number("generator.readingsMax", standard.ReadingsMax, 0, long.MaxValue),
            Seed = reader.Number("generator.seed", standard.Seed, 0, int.MaxValue),
        };
        foreach (var problem in options.Problems())
        {
            reader.Problems.Add("generator." + problem);
        }

        return options;
    }

    private static HostMetricsOptions ReadHostMetrics(ConfigurationReader reader)
    {
        var standard = new HostMetricsOptions();
        var options = new HostMetricsOptions
        {
            Interval = reader.Span("hostMetrics.interval", standard.Interval),
            CommitDeadline = reader.Span("hostMetrics.commitDeadline", standard.CommitDeadline),
            Device = reader.Text("hostMetrics.device", standard.Device),
            Root = reader.Text("hostMetrics.root", standard.Root),
        };
        foreach (var problem in options.Problems())
        {
            reader.Problems.Add("hostMetrics." + problem);
        }

        return options;
    }

    private static int TestDropEvery(ConfigurationReader reader)
    {
        try
        {
            return TestDrops.FromEnvironment();
        }
        catch (FormatException e)
        {
            reader.Problem("environment", e.Message);
            return 0;
        }
    }
}
