using System.Text.Json;

namespace Telemetry.Containers.Chain;

/// <summary>What an agent says of itself, as far as the tests ask.</summary>
/// <param name="Accepted">Readings ever accepted.</param>
/// <param name="AtTheEdge">Of those: in the outbox still.</param>
/// <param name="LinkUp">True while it is connected to the cloud.</param>
internal sealed record AgentStatus(long Accepted, long AtTheEdge, bool LinkUp)
{
    /// <summary>From the answer to /status, of an agent with one gateway.</summary>
    public static AgentStatus Of(string json)
    {
        using var document = JsonDocument.Parse(json);
        var gateway = Assert.Single(document.RootElement.EnumerateArray());
        return new AgentStatus(
            gateway.GetProperty("accepted").GetInt64(), gateway.GetProperty("atTheEdge").GetInt64(),
            gateway.GetProperty("linkUp").GetBoolean());
    }
}
