namespace Telemetry.Edge.Outbox;

/// <summary>The space that an outbox file uses on its disk, as the last commit left it.</summary>
/// <param name="UsedBytes">Bytes in use: the file without its free pages, plus its write-ahead log and its
/// reserve.</param>
/// <param name="HasRoom">False while the disk has no space for more readings.</param>
public sealed record OutboxSpace(long UsedBytes, bool HasRoom);
