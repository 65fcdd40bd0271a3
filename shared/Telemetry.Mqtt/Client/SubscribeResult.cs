namespace Telemetry.Mqtt;

/// <summary>The server's answer to SUBSCRIBE or UNSUBSCRIBE.</summary>
/// <param name="ReasonCodes">One for each filter, in their order: granted QoS, or why not.</param>
/// <param name="ReasonString">The server's words; null when it said none.</param>
public sealed record SubscribeResult(IReadOnlyList<MqttReasonCode> ReasonCodes, string? ReasonString)
{
    /// <summary>True when every code is below 0x80.</summary>
    public bool IsSuccess => ReasonCodes.All(code => code < MqttReasonCode.UnspecifiedError);
}
