using System.Globalization;
using Telemetry.Model.Frames;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// A hook for tests: removes readings while they are sealed and declares them (<see cref="DropReason.Test"/>): every
/// n-th reading inside of frames that keep the others, and one frame in <see cref="TombstoneEvery"/> completely, as a
/// tombstone. Only the variable <c>TELEMETRY_TEST_DROP_EVERY</c> turns it on; no configuration can. Real drops (quota,
/// damage) are declared in the same way.
/// </summary>
public sealed class TestDrops(int every)
{
    /// <summary>The variable that turns it on.</summary>
    public const string Variable = "TELEMETRY_TEST_DROP_EVERY";

    /// <summary>The least value: with more drops a full frame could become longer than a frame may be.</summary>
    public const int EveryMin = 50;

    /// <summary>One frame in this many is dropped completely.</summary>
    public const int TombstoneEvery = 40;

    private int _readings;
    private int _parts;

    /// <summary>
    /// The value of the environment variable; 0 when it is not set. Throws <see cref="FormatException"/> when it is
    /// neither 0 nor at least <see cref="EveryMin"/>.
    /// </summary>
    public static int FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text)
        {
            return 0;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var every)
            && every is 0 or >= EveryMin
            ? every
            : throw new FormatException(
                $"{Variable} is '{text}'; it is for tests only: remove it, or use {EveryMin} or more");
    }

    /// <summary>The part without the readings that are removed.</summary>
    public SealPart Take(in SealPart part)
    {
        if (every == 0 || part.Order.IsEmpty)
        {
            return part;
        }

        var whole = ++_parts % TombstoneEvery == 0;
        var order = part.Order.Span;
        var kept = new List<int>(order.Length);
        List<Declaration> dropped = [.. part.Declarations];
        foreach (var row in order)
        {
            if (!whole && ++_readings % every != 0)
            {
                kept.Add(row);
                continue;
            }

            var (series, time) = (part.Batch.Series[row], part.Batch.Times[row]);
            if (dropped is [.., var last] && last.Series == series)
            {
                // Rows of one series are adjacent, ordered by time.
                dropped[^1] = last with { Count = last.Count + 1, TimeLast = time };
            }
            else
            {
                dropped.Add(new Declaration(series, 1, time, time, DropReason.Test));
            }
        }

        return kept.Count == 0
            ? SealPart.OfDeclarations(part.Lane, dropped)
            : part with { Order = kept.ToArray(), Declarations = dropped };
    }
}
