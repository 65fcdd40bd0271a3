using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>What integers stand for: it says which predictions are worth trying.</summary>
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
/// Integers behind the first one, which the caller writes, as residuals of the prediction that makes them smallest:
/// <code>
/// 3       kind of prediction
/// number  zigzag of its parameter (Step, Grid; Least as the distance below the first)
/// ...     residuals, see <see cref="RiceBlocks"/> (not for Constant)
/// </code>
/// Nothing stands where there is one integer. Which prediction is smallest is measured on a sample of 64 to 256 places; a
/// grid is tried for times only, exclusive or for bits of doubles only.
/// </summary>
internal static class IntegerColumn
{
    /// <summary>The bits of a column without residuals.</summary>
    public const int KindBits = 3;

    private const int PlacesABlock = 256, BlocksMin = 2, BlocksMax = 8, MedianOf = 15;

    /// <summary>Values from the least take at least their range's bits less these, unless hardly any is far from it.</summary>
    private const int NoiseBits = 4;

    /// <summary>The prediction that suits a column of at least one integer best, and about how many bits it takes.</summary>
    public static Prediction Plan(ReadOnlySpan<long> x, IntegerMeaning meaning, out long bits)
    {
        bits = KindBits;
        if (x.Length < 2 || x[1..].IndexOfAnyExcept(x[0]) < 0)
        {
            return default;
        }

        var median = MedianStep(x, out var isSmooth);
        var span = x[^1] - x[0];
        var least = Least(x, out var rangeBits) - x[0];
        var best = new Prediction(PredictionKind.Last, 0);
        bits = Cost(best, x);
        Try(new Prediction(PredictionKind.Step, median), median != 0, x, ref best, ref bits);
        Try(new Prediction(PredictionKind.Slope, 0), isSmooth, x, ref best, ref bits);
        Try(
            new Prediction(PredictionKind.Grid, span),
            meaning == IntegerMeaning.Times && x.Length > 3 && span is > 0 and < Prediction.SpanEnd,
            x,
            ref best,
            ref bits);
        Try(new Prediction(PredictionKind.Least, least), (rangeBits - NoiseBits) * (x.Length - 1) <= bits, x, ref best, ref bits);
        Try(new Prediction(PredictionKind.Xor, 0), meaning == IntegerMeaning.Doubles, x, ref best, ref bits);
        return best;
    }

    /// <summary>Writes the integers behind the first.</summary>
    public static void Write(BitWriter writer, ReadOnlySpan<long> x, Prediction prediction, Span<ulong> residuals)
    {
        if (x.Length < 2)
        {
            return;
        }

        writer.Write((ulong)prediction.Kind, KindBits);
        if (prediction.HasParameter)
        {
            var stated = prediction.Kind == PredictionKind.Least ? (ulong)-prediction.Parameter : ZigZag.Of(prediction.Parameter);
            writer.Number(stated, NumberContext.Step);
        }

        if (prediction.Kind != PredictionKind.Constant)
        {
            residuals = residuals[..(x.Length - 1)];
            prediction.Residuals(x, 1, residuals);
            RiceBlocks.Write(writer, residuals);
        }
    }

    /// <summary>Reads the integers behind <paramref name="x"/>[0], which the caller has set.</summary>
    public static void Read(ref BitReader reader, Span<long> x)
    {
        if (x.Length < 2)
        {
            return;
        }

        var kind = (PredictionKind)reader.Read(KindBits);
        if (kind > PredictionKind.Xor)
        {
            throw reader.Malformed($"no prediction {(byte)kind}");
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

    private static void Try(Prediction prediction, bool possible, ReadOnlySpan<long> x, ref Prediction best, ref long bits)
    {
        if (possible && Cost(prediction, x) is var cost && cost < bits)
        {
            best = prediction;
            bits = cost;
        }
    }

    /// <summary>About how many bits the column takes: so much as is known of a short one, and a sample of a long one.</summary>
    private static long Cost(Prediction prediction, ReadOnlySpan<long> x)
    {
        var parameter = prediction.HasParameter ? 64 - BitOperations.LeadingZeroCount(ZigZag.Of(prediction.Parameter)) : 0;
        return KindBits + parameter + (x.Length - 1 <= RiceBlocks.BlockLength ? ShortBits(prediction, x) : LongBits(prediction, x));
    }

    private static long ShortBits(Prediction prediction, ReadOnlySpan<long> x)
    {
        Span<ulong> residuals = stackalloc ulong[RiceBlocks.BlockLength];
        residuals = residuals[..(x.Length - 1)];
        prediction.Residuals(x, 1, residuals);
        return RiceBlocks.CostAlone(residuals);
    }

    private static long LongBits(Prediction prediction, ReadOnlySpan<long> x)
    {
        Span<ulong> sample = stackalloc ulong[BlocksMax * RiceBlocks.BlockLength];
        var places = x.Length - 1;
        var blocks = Math.Clamp(places / PlacesABlock, BlocksMin, BlocksMax);
        sample = sample[..Math.Min(places, blocks * RiceBlocks.BlockLength)];
        if (sample.Length == places)
        {
            prediction.Residuals(x, 1, sample);
        }
        else
        {
            for (var block = 0; block < blocks; block++)
            {
                var from = 1 + (int)((long)(places - RiceBlocks.BlockLength) * block / (blocks - 1));
                prediction.Residuals(x, from, sample.Slice(block * RiceBlocks.BlockLength, RiceBlocks.BlockLength));
            }
        }

        var width = RiceBlocks.Width(sample);
        var bits = 0L;
        for (var at = 0; at < sample.Length; at += RiceBlocks.BlockLength)
        {
            var block = sample.Slice(at, Math.Min(RiceBlocks.BlockLength, sample.Length - at));
            bits += RiceBlocks.Cost(block, width, out _) + (width == 0 ? 0 : RiceBlocks.SelectorBits(width));
        }

        return bits * places / sample.Length;
    }

    /// <summary>The middle one of some steps; and whether steps differ less from those before them than from 0.</summary>
    private static long MedianStep(ReadOnlySpan<long> x, out bool isSmooth)
    {
        ulong sizes = 0, changes = 0;
        Span<long> steps = stackalloc long[MedianOf];
        var count = Math.Min(MedianOf, x.Length - 1);
        for (var i = 0; i < count; i++)
        {
            var at = count == x.Length - 1 ? 1 + i : 1 + (int)((long)(x.Length - 2) * i / (count - 1));
            steps[i] = x[at] - x[at - 1];
            sizes += ZigZag.Of(steps[i]) >> 4;
            changes += at > 1 ? ZigZag.Of(steps[i] - (x[at - 1] - x[at - 2])) >> 4 : 0;
        }

        // Sums lose four bits, lest fifteen of them run over.
        isSmooth = x.Length > 2 && changes <= sizes;
        steps = steps[..count];
        steps.Sort();
        return steps[count / 2];
    }

    private static long Least(ReadOnlySpan<long> x, out int rangeBits)
    {
        long least = x[0], most = x[0];
        foreach (var value in x)
        {
            least = Math.Min(least, value);
            most = Math.Max(most, value);
        }

        rangeBits = 64 - BitOperations.LeadingZeroCount((ulong)(most - least));
        return least;
    }
}
