using Telemetry.Diagnostics.Tracing;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Inputs;
using Telemetry.Model.Identity;

namespace Telemetry.Agent.Configuration;

/// <summary>
/// Everything that an agent is started with. <see cref="AgentConfiguration"/> reads it; deploy/agent.json has every key
/// with its default.
/// </summary>
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

    /// <summary>The inputs: those of <see cref="InputCatalog"/> whose sections are set.</summary>
    public IReadOnlyList<IInputOptions> Inputs { get; init; } = [];

    /// <summary>
    /// Where spans go. Section <c>traces</c>; none go anywhere (default) without its key <c>endpoint</c>.
    /// </summary>
    public TraceExportOptions Traces { get; init; } = new();

    /// <summary>
    /// File of the journal in which all inputs note what they offer and what was acknowledged, for tests (24 bytes a
    /// reading, never shortened). Key <c>journal</c>; empty (default): none.
    /// </summary>
    public string Journal { get; init; } = "";
}
