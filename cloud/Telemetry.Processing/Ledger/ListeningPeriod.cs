namespace Telemetry.Processing.Ledger;

/// <summary>
/// The time, from <paramref name="Since"/> to <paramref name="Now"/>, in which the owner of a partition received
/// without interruption what was sent to it. Only in this time nothing received means that nothing was sent.
/// </summary>
internal readonly record struct ListeningPeriod(TimeSpan Since, TimeSpan Now);
