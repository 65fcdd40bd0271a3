namespace Telemetry.Mqtt;

/// <summary>What became of a published message.</summary>
/// <param name="ReasonCode">QoS 1: the PUBACK's reason code. QoS 0: success once the message was written out.</param>
/// <param name="UserProperties">User properties of the PUBACK.</param>
/// <param name="ReasonString">The server's words; null when it said none.</param>
public sealed record PublishResult(
    MqttReasonCode ReasonCode, IReadOnlyList<MqttUserProperty> UserProperties, string? ReasonString)
{
    internal static readonly PublishResult Written = new(MqttReasonCode.Success, [], null);

    /// <summary>True below 0x80.</summary>
    public bool IsSuccess => ReasonCode < MqttReasonCode.UnspecifiedError;
}
