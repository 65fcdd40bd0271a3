using Telemetry.Model.Identity;

namespace Telemetry.Model.Protocol;

/// <summary>The MQTT topics between a gateway and the cloud.</summary>
public static class MqttTopics
{
    /// <summary>
    /// The user property of the CONNECT in which an agent says its version. Agents before 0.2 send none.
    /// </summary>
    public const string AgentVersionProperty = "agent-version";

    /// <summary>What every topic of protocol version 1 begins with.</summary>
    public const string Prefix = "tm/1/";

    /// <summary><c>tm/1/GATEWAY/LANE</c>: frames and schemas go up, QoS 1.</summary>
    public static string Frames(GatewayId gateway, Lane lane) => $"{Prefix}{gateway.Value}/{lane.Name()}";

    /// <summary><c>tm/1/GATEWAY/hello</c>: hellos go up, QoS 1.</summary>
    public static string Hello(GatewayId gateway) => $"{Prefix}{gateway.Value}/hello";

    /// <summary>
    /// <c>tm/1/GATEWAY/down</c>: answers, stored-acks, receipts and schema requests come down, QoS 0.
    /// </summary>
    public static string Down(GatewayId gateway) => $"{Prefix}{gateway.Value}/down";
}
