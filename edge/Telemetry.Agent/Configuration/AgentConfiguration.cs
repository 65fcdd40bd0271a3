using Telemetry.Diagnostics.Tracing;
using Telemetry.Inputs;
using Telemetry.Model.Identity;
using Telemetry.Runtime.Settings;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads the configuration of an agent; each section has a class of its own.</summary>
public static class AgentConfiguration
{
    /// <summary>The environment's variables that count begin with it.</summary>
    public const string EnvironmentPrefix = "TELEMETRY_AGENT__";

    // A timer takes no longer time.
    private static readonly TimeSpan StopTimeoutMax = TimeSpan.FromDays(24);

    /// <summary>Reads all of it; problems stay in the reader.</summary>
    public static AgentOptions Read(SettingsReader reader)
    {
        var options = ReadShared(reader) with
        {
            Gateway = Gateway(reader),
            OutboxFile = reader.Required("outbox.file"),
            Inputs = InputCatalog.Read(reader),
            Journal = reader.Text("journal", ""),
        };
        reader.End();
        return options;
    }

    /// <summary>What the agents of a fleet have in common: everything but names, files and listening inputs.</summary>
    public static AgentOptions ReadForFleet(SettingsReader reader) =>
        ReadShared(reader) with { Inputs = InputCatalog.ReadForFleet(reader) };

    private static AgentOptions ReadShared(SettingsReader reader) => new()
    {
        Outbox = OutboxSection.Read(reader),
        Uplink = UplinkSection.Read(reader),
        UplinkSending = UplinkSection.ReadSending(reader),
        StatusPort = reader.Number("status.port", 0, 0, 65535),
        StopTimeout = reader.Span("stopTimeout", TimeSpan.FromSeconds(10), TimeSpan.Zero, StopTimeoutMax),
        Traces = TraceSection.Read(reader),
    };

    private static GatewayId Gateway(SettingsReader reader)
    {
        var name = reader.Required("gateway");
        if (!GatewayId.TryParse(name, out var gateway) && name.Length > 0)
        {
            reader.NotAllowed("gateway", name, $"1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -");
        }

        return gateway;
    }
}
