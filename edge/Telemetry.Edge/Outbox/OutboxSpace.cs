namespace Telemetry.Edge.Outbox;

/// <summary>What an outbox file takes of its disk, as the last commit left it.</summary>
/// <param name="UsedBytes">
/// Bytes in use: the file without what is free in it, and all that belongs to it, its write-ahead log and its reserve.
/// </param>
/// <param name="HasRoom">False while the disk gives no room for more readings.</param>
public sealed record OutboxSpace(long UsedBytes, bool HasRoom);
