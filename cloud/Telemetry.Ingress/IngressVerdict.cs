namespace Telemetry.Ingress;

/// <summary>The reply to one publish: the PUBACK's reason code, its receipt, and a text for people.</summary>
public readonly record struct IngressVerdict(byte ReasonCode, string? ReceiptProperty, string? Reason)
{
    /// <summary>MQTT 5.0, 3.4.2.1: the message reached the log or the owner.</summary>
    public const byte Success = 0x00;

    /// <summary>Not now: the partition has no owner, or the log is out of reach. Never a fault of the frame.</summary>
    public const byte Unavailable = 0x83;

    /// <summary>The topic belongs to another gateway.</summary>
    public const byte NotAuthorized = 0x87;

    /// <summary>The topic is below this gateway's prefix, but has no meaning.</summary>
    public const byte TopicUnknown = 0x90;

    /// <summary>The stream is at its byte limit.</summary>
    public const byte Full = 0x97;

    /// <summary>The payload is malformed or its checksum differs: a fault of the frame.</summary>
    public const byte Malformed = 0x99;

    /// <summary>True below 0x80.</summary>
    public bool IsSuccess => ReasonCode < 0x80;
}
