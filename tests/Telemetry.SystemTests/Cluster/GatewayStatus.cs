using System.Text.Json;

namespace Telemetry.SystemTests.Cluster;

/// <summary>What an agent says of itself.</summary>
public sealed record GatewayStatus(
    string Gateway, bool LinkUp, bool InputsEnded, long Accepted, long AtTheEdge, long InFlight, int FramesInFlight,
    int FramesAwaitingPubAck, string Fork)
{
    /// <summary>From one element of an agent's /status.</summary>
    public static GatewayStatus Of(JsonElement json) => new(
        json.GetProperty("gateway").GetString()!,
        json.GetProperty("linkUp").GetBoolean(),
        json.GetProperty("inputsEnded").GetBoolean(),
        json.GetProperty("accepted").GetInt64(),
        json.GetProperty("atTheEdge").GetInt64(),
        json.GetProperty("inFlight").GetInt64(),
        json.GetProperty("framesInFlight").GetInt32(),
        json.GetProperty("framesAwaitingPubAck").GetInt32(),
        json.GetProperty("fork").GetString()!);
}
