namespace Telemetry.Nats;

/// <summary>What the client accepts from a server; anything beyond is a <see cref="NatsProtocolException"/>.</summary>
/// <param name="LineBytesMax">Control line of a message frame, without its payload.</param>
/// <param name="TextLineBytesMax">Line of INFO and -ERR, which carry JSON or text.</param>
/// <param name="PayloadBytesMax">Headers and payload of one message together.</param>
internal readonly record struct NatsReadLimits(int LineBytesMax, int TextLineBytesMax, int PayloadBytesMax)
{
    /// <summary>
    /// A server limits the control lines it takes to 4 KiB by default; what it sends adds an id, hence 8.
    /// INFO lists every server of a cluster.
    /// </summary>
    public static NatsReadLimits Default { get; } = new(8 * 1024, 256 * 1024, 8 * 1024 * 1024);
}
