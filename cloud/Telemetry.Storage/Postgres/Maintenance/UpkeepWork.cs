namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>A kind of background upkeep.</summary>
/// <param name="Name">What it does, as errors say it: "move readings".</param>
/// <param name="Lock">The advisory lock of the session that does it.</param>
/// <param name="Timeout">How long one of its statements may take.</param>
/// <param name="Percent">How much of the time it works at most.</param>
/// <param name="MemorySetting">The setting of which it has 64 MB to sort with; null for the server's value.</param>
internal sealed record UpkeepWork(
    string Name, long Lock, TimeSpan Timeout, int Percent, string? MemorySetting = null);
