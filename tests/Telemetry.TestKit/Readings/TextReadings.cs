using Telemetry.Model.Readings;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// What machines say in words, by a seed: lines of a log, each another one, and states of a few words.
/// </summary>
internal sealed class TextReadings(Random random)
{
    private static readonly string[] Parts = ["pump", "valve", "conveyor", "furnace", "press", "gripper"];
    private static readonly string[] States =
        ["running", "standing still", "warming up", "cooling down", "out of service", "idle"];

    private long _nextSecond = 1_700_000_000;

    /// <summary>Lines of one series, so many, no two of them alike.</summary>
    public ReadingBatch Lines(int count)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < count; i++)
        {
            batch.AddText(
                0,
                (_nextSecond++ * 1_000_000) + i,
                $"{Part()} {random.Next(100)} {State()}: pressure {random.Next(10_000) / 100.0} bar, order "
                + $"{_nextSecond}");
        }

        return batch;
    }

    /// <summary>A state each of so many series.</summary>
    public ReadingBatch ShortStates(int series)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < series; i++)
        {
            batch.AddText(i, _nextSecond * 1_000_000, State());
        }

        _nextSecond++;
        return batch;
    }

    private string Part() => Parts[random.Next(Parts.Length)];

    private string State() => States[random.Next(States.Length)];
}
