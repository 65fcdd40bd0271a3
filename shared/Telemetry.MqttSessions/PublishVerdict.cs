namespace Telemetry.MqttSessions;

/// <summary>
/// The application's word on a received message: what its PUBACK says (nothing is said about a QoS 0 message).
/// </summary>
/// <param name="ReasonCode">Success, 0x10, or a failure from 0x80 on.</param>
/// <param name="UserProperties">
/// User properties of the PUBACK, at most 48; left out where the client asked for none.
/// </param>
/// <param name="ReasonString">For people; null sends none.</param>
public sealed record PublishVerdict(
    MqttReasonCode ReasonCode, IReadOnlyList<MqttUserProperty>? UserProperties = null, string? ReasonString = null)
{
    /// <summary>Taken.</summary>
    public static readonly PublishVerdict Accepted = new(MqttReasonCode.Success);
}
