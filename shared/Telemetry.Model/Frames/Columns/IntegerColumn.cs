using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>The meaning of integers; it decides which predictions are tried.</summary>
internal enum IntegerMeaning
{
    /// <summary>Values, places, lengths.</summary>
    Values,

    /// <summary>Times of one series.</summary>
    Times,

    /// <summary>Bits of doubles.</summary>
    Doubles,
}

/// <summary>
/// A column of integers. The caller writes the first one; the others are residuals: their differences from a
/// prediction. The writer takes the prediction that makes them smallest.
/// <code>
/// 3       kind of prediction
/// number  its parameter: of Step and Grid in zigzag, of Least the first integer minus the least (not for the others)
/// ...     residuals, see <see cref="RiceBlocks"/> (not for Constant)
/// </code>
/// Of a single integer none of this is written. Predictions are compared on a sample of 32 to 256 places, or on all of
/// fewer. Grid is tried for times only, Xor for the bits of doubles only.
/// </summary>
internal static class IntegerColumn
{
    /// <summary>The bits of a column without residuals.</summary>
    public const int KindBits = 3;

    /// <summary>
    /// A sample consists of stretches of places: one for each <c>PlacesAStretch</c> places, within these limits.
    /// </summary>
    private const int StretchLength = 16, PlacesAStretch = 128, StretchesMin = 2, StretchesMax = 16;

    /// <summary>Of fewer integers three steps are examined, not nine, and the least is found without vectors.</summary>
    private const int LongFrom = 32;

    /// <summary>
    /// With Least a value takes about as many bits as the range has, and usually at most so many fewer. It is tried
    /// only where that could be less than the best so far.
    /// </summary>
    private const int NoiseBits = 4;

    /// <summary>
    /// The prediction that suits a column of at least one integer best, and about how many bits it takes.
    /// </summary>
    public static Prediction Plan(ReadOnlySpan<long> x, IntegerMeaning meaning, out long bits)
    {
        bits = KindBits;
        if (x.Length < 2 || x[1..].IndexOfAnyExcept(x[0]) < 0)
        {
            return default;
        }

        var middle = MiddleStep(x, out var isOneWay, out var isSmooth);
        var best = isOneWay ? new Prediction(PredictionKind.Step, middle) : new Prediction(PredictionKind.Last, 0);
        bits = Cost(best, x);
        Try(new Prediction(PredictionKind.Slope, 0), isSmooth, x, ref best, ref bits);
        Try(Grid(x), meaning == IntegerMeaning.Times && IsGridPossible(x), x, ref best, ref bits);
        if (meaning != IntegerMeaning.Times)
        {
            var least = Least(x, out var rangeBits) - x[0];
            Try(new Prediction(PredictionKind.Last, 0), isOneWay, x, ref best, ref bits);
            var isNoise = (rangeBits - NoiseBits) * (x.Length - 1) <= bits;
            Try(new Prediction(PredictionKind.Least, least), isNoise, x, ref best, ref bits);
            Try(new Prediction(PredictionKind.Xor, 0), meaning == IntegerMeaning.Doubles, x, ref best, ref bits);
        }

        return best;
    }

    /// <summary>
    /// True when a grid suits the times and takes about so many bits, at most a sixteenth less or more. False where the
    /// first two or the last two steps are equal: these may be steady times with a gap, which a grid would spread over
    /// all of them.
    /// </summary>
    public static bool IsGridOf(ReadOnlySpan<long> x, long bits, out Prediction grid)
    {
        grid = Grid(x);
        return IsGridPossible(x)
            && x[1] - x[0] != x[2] - x[1] && x[^1] - x[^2] != x[^2] - x[^3]
            && Math.Abs(Cost(grid, x) - bits) <= bits / 16;
    }

    /// <summary>
    /// How many bits a column takes, by a sample of its places. More exact than the estimate of a plan, which does not
    /// see what a few large residuals among small ones cost.
    /// </summary>
    public static long Bits(Prediction prediction, ReadOnlySpan<long> x) =>
        prediction.Kind == PredictionKind.Constant || x.Length < 2 ? KindBits : Cost(prediction, x, exactly: true);

    /// <summary>Writes the integers after the first.</summary>
    public static void Write(BitWriter writer, ReadOnlySpan<long> x, Prediction prediction, Span<ulong> residuals)
    {
        if (x.Length < 2)
        {
            return;
        }

        writer.Write((ulong)prediction.Kind, KindBits);
        if (prediction.HasParameter)
        {
            var parameter = prediction.Parameter;
            var stated = prediction.Kind == PredictionKind.Least ? (ulong)-parameter : ZigZag.Of(parameter);
            writer.Number(stated, NumberContext.Step);
        }

        if (prediction.Kind != PredictionKind.Constant)
        {
            residuals = residuals[..(x.Length - 1)];
            prediction.Residuals(x, 1, residuals);
            RiceBlocks.Write(writer, residuals);
        }
    }

    /// <summary>Reads the integers after <paramref name="x"/>[0], which the caller has set.</summary>
    public static void Read(ref BitReader reader, Span<long> x)
    {
        if (x.Length < 2)
        {
            return;
        }

        var kind = (PredictionKind)reader.Read(KindBits);
        if (kind > PredictionKind.Xor)
        {
            throw reader.Malformed($"unknown prediction {(byte)kind}");
        }

        if (kind == PredictionKind.Constant)
        {
            x[1..].Fill(x[0]);
            return;
        }

        var prediction = new Prediction(kind, 0);
        if (prediction.HasParameter)
        {
            var stated = reader.Number(NumberContext.Step);
            prediction = new Prediction(kind, kind == PredictionKind.Least ? -(long)stated : ZigZag.Back(stated));
            if (kind == PredictionKind.Grid && prediction.Parameter is < 0 or >= Prediction.SpanEnd)
            {
                throw reader.Malformed($"a grid over {prediction.Parameter}");
            }
        }

        reader.Rice(MemoryMarshal.Cast<long, ulong>(x[1..]));
        prediction.Restore(x);
    }

    private static Prediction Grid(ReadOnlySpan<long> x) => new(PredictionKind.Grid, x[^1] - x[0]);

    private static bool IsGridPossible(ReadOnlySpan<long> x) =>
        x.Length > 3 && x[^1] - x[0] is > 0 and < Prediction.SpanEnd;

    private static void Try(
        Prediction prediction, bool possible, ReadOnlySpan<long> x, ref Prediction best, ref long bits)
    {
        if (possible && Cost(prediction, x) is var cost && cost < bits)
        {
            best = prediction;
            bits = cost;
        }
    }

    /// <summary>
    /// About how many bits the column takes; a long one by a sample of its places. The residuals' bits are estimated by
    /// their logarithms, or counted if <paramref name="exactly"/>.
    /// </summary>
    [SkipLocalsInit]
    private static long Cost(Prediction prediction, ReadOnlySpan<long> x, bool exactly = false)
    {
        var parameter = prediction.HasParameter
            ? 64 - BitOperations.LeadingZeroCount(ZigZag.Of(prediction.Parameter)) : 0;
        Span<ulong> sample = stackalloc ulong[StretchesMax * StretchLength];
        var places = x.Length - 1;
        var sampled = places;
        if (places <= StretchesMin * StretchLength)
        {
            // Filled up with zeros to a whole vector.
            var whole = (places + Vector<ulong>.Count - 1) & -Vector<ulong>.Count;
            sample.Slice(whole - Vector<ulong>.Count, Vector<ulong>.Count).Clear();
            prediction.Residuals(x, 1, sample[..places]);
            sample = sample[..whole];
        }
        else
        {
            var stretches = Math.Clamp(places / PlacesAStretch, StretchesMin, StretchesMax);
            sampled = stretches * StretchLength;
            for (var stretch = 0; stretch < stretches; stretch++)
            {
                var from = 1 + (int)((uint)((places - StretchLength) * stretch) / (uint)(stretches - 1));
                prediction.Residuals(x, from, sample.Slice(stretch * StretchLength, StretchLength));
            }

            sample = sample[..sampled];
        }

        var bits = exactly ? RiceBlocks.Bits(sample[..sampled]) : RiceBlocks.EstimatedBits(sample, sampled);
        return KindBits + parameter + (bits * places / sampled);
    }

    /// <summary>
    /// About the median of the steps, by a sample of them; whether all of the sample have one direction; and whether a
    /// step differs little from the one before it, compared with the range of all.
    /// </summary>
    private static long MiddleStep(ReadOnlySpan<long> x, out bool isOneWay, out bool isSmooth)
    {
        var third = (x.Length - 1) / 3;
        if (third < 1)
        {
            var step = x[^1] - x[^2];
            (isOneWay, isSmooth) = (step != 0, false);
            return step;
        }

        var steps = new StepSample(x);
        long middle;
        if (x.Length < LongFrom)
        {
            middle = steps.MedianOf(1, third + 1, x.Length - 1);
        }
        else
        {
            var first = steps.MedianOf(1, third / 2, third);
            var second = steps.MedianOf(third + 1, third + (third / 2), 2 * third);
            var last = steps.MedianOf((2 * third) + 1, (2 * third) + (third / 2), x.Length - 1);
            middle = StepSample.Median(first, second, last);
        }

        (isOneWay, isSmooth) = (steps.IsOneWay && middle != 0, steps.IsSmooth);
        return middle;
    }

    /// <summary>What the sampled steps of a column have in common.</summary>
    private ref struct StepSample(ReadOnlySpan<long> x)
    {
        private readonly ReadOnlySpan<long> _x = x;
        private long _least = long.MaxValue, _most = long.MinValue;
        private ulong _changes;
        private int _count;

        /// <summary>True when no step goes up, or none goes down.</summary>
        public readonly bool IsOneWay => _least >= 0 || _most <= 0;

        /// <summary>
        /// True when steps differ from the ones before them by a third of their range at most, on average.
        /// </summary>
        public readonly bool IsSmooth => 3 * (_changes / (uint)_count) <= (ulong)(_most - _least) >> 4;

        /// <summary>The middle one of three steps.</summary>
        public long MedianOf(int first, int second, int third) => Median(Take(first), Take(second), Take(third));

        public static long Median(long a, long b, long c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));

        private long Take(int at)
        {
            var now = _x[at];
            var before = _x[at - 1];
            var step = now - before;
            _least = Math.Min(_least, step);
            _most = Math.Max(_most, step);
            if (at > 1)
            {
                // A sixteenth of each difference, so that the sum cannot overflow.
                _changes += ZigZag.Of(step - (before - _x[at - 2])) >> 5;
                _count++;
            }

            return step;
        }
    }

    private static long Least(ReadOnlySpan<long> x, out int rangeBits)
    {
        long least = x[0], most = x[0];
        var vectors = x.Length < LongFrom ? [] : MemoryMarshal.Cast<long, Vector<long>>(x);
        if (vectors.Length > 0)
        {
            Vector<long> leasts = vectors[0], mosts = vectors[0];
            foreach (var vector in vectors)
            {
                leasts = Vector.Min(leasts, vector);
                mosts = Vector.Max(mosts, vector);
            }

            for (var lane = 0; lane < Vector<long>.Count; lane++)
            {
                least = Math.Min(least, leasts[lane]);
                most = Math.Max(most, mosts[lane]);
            }
        }

        foreach (var value in x[(vectors.Length * Vector<long>.Count)..])
        {
            least = Math.Min(least, value);
            most = Math.Max(most, value);
        }

        rangeBits = 64 - BitOperations.LeadingZeroCount((ulong)(most - least));
        return least;
    }
}
