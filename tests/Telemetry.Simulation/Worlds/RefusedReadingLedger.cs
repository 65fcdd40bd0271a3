using Telemetry.Simulation.Faults;
using Telemetry.Storage;

namespace Telemetry.Simulation.Worlds;

/// <summary>Readings that the database refuses, by their event time: always the same ones, and few.</summary>
internal static class RefusedReadingLedger
{
    private const long OneIn = 97;

    /// <summary>True for a reading that the database of such a world refuses.</summary>
    public static bool Has(FaultProfile mix, long timeMicros) =>
        mix.Has(Fault.ReadingRejected) && timeMicros / 2 % OneIn == 0;

    /// <summary>Why the database refuses a commit; null when it does not.</summary>
    public static string? RefusalOf(FaultProfile mix, StoreCommit commit)
    {
        for (var row = 0; row < commit.Readings.Count; row++)
        {
            if (Has(mix, commit.Readings.Times[row]))
            {
                return $"row {row}: the value is out of range";
            }
        }

        return null;
    }
}
