namespace Telemetry.Ingress;

/// <summary>
/// What a gateway is told about one publish: the PUBACK's reason code, its receipt, and words for people.
/// </summary>
public readonly record struct IngressVerdict(byte ReasonCode, string? ReceiptProperty, string? Reason)
{
    /// <summary>MQTT 5.0, 3.4.2.1: it is where it belongs.</summary>
    public const byte Success = 0x00;

    /// <summary>Not now: no owner, or the log is out of reach. Never a fault of the frame.</summary>
    public const byte Unavailable = 0x83;

    /// <summary>Not this gateway's topic.</summary>
    public const byte NotAuthorized = 0x87;

    /// <summary>A topic of this gateway's that means nothing.</summary>
    public const byte TopicUnknown = 0x90;

    /// <summary>The stream is at its byte limit.</summary>
    public const byte Full = 0x97;

    /// <summary>The payload is malformed or its checksum differs: the frame's fault.</summary>
    public const byte Malformed = 0x99;

    /// <summary>True below 0x80.</summary>
    public bool IsSuccess => ReasonCode < 0x80;
}
