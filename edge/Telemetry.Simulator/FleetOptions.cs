using System.Globalization;
using Telemetry.Agent.Configuration;
using Telemetry.Model.Identity;

namespace Telemetry.Simulator;

/// <summary>
/// A fleet: the agents' common options, and in section <c>fleet</c> how many there are and where their files go.
/// </summary>
internal sealed record FleetOptions
{
    /// <summary>What all agents have in common.</summary>
    public required AgentOptions Agent { get; init; }

    /// <summary>Gateways, 1 to 10,000. Key <c>fleet.gateways</c>, default 10.</summary>
    public int Gateways { get; init; }

    /// <summary>Gateways are called by this and a number from 1. Key <c>fleet.prefix</c>, default <c>gw-</c>.</summary>
    public string Prefix { get; init; } = "gw-";

    /// <summary>Folder of the outbox files. Key <c>fleet.folder</c>, required.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Folder of the senders' journals. Key <c>fleet.journals</c>; empty (default): none are kept.</summary>
    public string Journals { get; init; } = "";

    /// <summary>The options of each agent.</summary>
    public IReadOnlyList<AgentOptions> Agents() => [.. Enumerable.Range(1, Gateways).Select(Of)];

    private AgentOptions Of(int number) => Agent with
    {
        Gateway = GatewayId.Parse(Name(number)),
        OutboxFile = Path.Combine(Folder, Name(number) + ".outbox"),
        OutboxReserveBytes = 0,
        Journal = Journals.Length > 0 ? Path.Combine(Journals, Name(number) + ".journal") : "",
        Inputs = [.. Agent.Inputs.Select(input => input.ForFleetMember(number))],
    };

    /// <summary>The name of the gateway of a number.</summary>
    public string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:00}");
}
