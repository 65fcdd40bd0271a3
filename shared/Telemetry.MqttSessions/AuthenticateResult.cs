namespace Telemetry.MqttSessions;

/// <summary>Whether a client is let in.</summary>
/// <param name="ReasonCode">Success, or the CONNACK's failure from 0x80 on, e.g. 0x86 or 0x87.</param>
/// <param name="ReasonString">For people; null sends none.</param>
/// <param name="UserProperties">User properties of a successful CONNACK, at most 48; null sends none.</param>
public sealed record AuthenticateResult(
    MqttReasonCode ReasonCode, string? ReasonString = null, IReadOnlyList<MqttUserProperty>? UserProperties = null)
{
    /// <summary>Lets the client in.</summary>
    public static readonly AuthenticateResult Accepted = new(MqttReasonCode.Success);
}
