using Telemetry.Agent.Configuration;
using Telemetry.Model.Identity;
using Telemetry.Runtime.Settings;

namespace Telemetry.Simulator;

/// <summary>Reads the configuration of a fleet: section <c>fleet</c>, and what its agents have in common.</summary>
internal static class FleetConfiguration
{
    /// <summary>Reads all of it; problems stay in the reader.</summary>
    public static FleetOptions Read(SettingsReader reader)
    {
        var options = new FleetOptions
        {
            Agent = AgentConfiguration.ReadForFleet(reader),
            Gateways = reader.Number("fleet.gateways", 10, 1, 10_000),
            Prefix = reader.Text("fleet.prefix", "gw-"),
            Folder = reader.Required("fleet.folder"),
            Journals = reader.Text("fleet.journals", ""),
        };
        if (!GatewayId.TryParse(options.Name(options.Gateways), out _))
        {
            reader.NotAllowed("fleet.prefix", options.Prefix, "a text that makes gateway ids: A-Z a-z 0-9 _ -");
        }

        reader.End();
        return options;
    }
}
