using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>From what each integer of a column is predicted; the code stands in three bits.</summary>
internal enum PredictionKind : byte
{
    /// <summary>All are the first.</summary>
    Constant = 0,

    /// <summary>The one before.</summary>
    Last = 1,

    /// <summary>The one before and a step: counters, or times of steady sources.</summary>
    Step = 2,

    /// <summary>The one before and the difference before (delta of delta).</summary>
    Slope = 3,

    /// <summary>Its place between the first and the last: times that jitter around a grid.</summary>
    Grid = 4,

    /// <summary>The least: bools, noise.</summary>
    Least = 5,

    /// <summary>The one before, by exclusive or: bits of doubles.</summary>
    Xor = 6,
}

/// <summary>
/// A prediction and its parameter (step; last less first; least less first). The residual of place i is
/// <code>
/// Last    x[i] - x[i-1]                                         zigzag, as are all but Least and Xor
/// Step    x[i] - x[i-1] - step
/// Slope   x[i] - x[i-1] - (x[i-1] - x[i-2]), for i = 1 as Last
/// Grid    x[i] - x[0] - i * span / (n - 1), rounded down; 0 &lt;= span &lt; 2^50
/// Least   x[i] - least
/// Xor     x[i] ^ x[i-1]
/// </code>
/// All arithmetic is modulo 2^64. The first integer stands apart and is never predicted here.
/// </summary>
internal readonly record struct Prediction(PredictionKind Kind, long Parameter)
{
    /// <summary>The span of a grid is below this.</summary>
    public const long SpanEnd = 1L << 50;

    /// <summary>True when a parameter is written.</summary>
    public bool HasParameter => Kind is PredictionKind.Step or PredictionKind.Grid or PredictionKind.Least;

    /// <summary>Fills <paramref name="residuals"/> with those of the places from <paramref name="from"/> (at least 1) on.</summary>
    public void Residuals(ReadOnlySpan<long> x, int from, Span<ulong> residuals)
    {
        var now = x.Slice(from, residuals.Length);
        var before = x.Slice(from - 1, residuals.Length);
        switch (Kind)
        {
            case PredictionKind.Last or PredictionKind.Step:
                var step = Kind == PredictionKind.Step ? Parameter : 0;
                for (var i = 0; i < residuals.Length; i++)
                {
                    residuals[i] = ZigZag.Of(now[i] - before[i] - step);
                }

                break;
            case PredictionKind.Slope:
                var slope = from > 1 ? before[0] - x[from - 2] : 0;
                for (var i = 0; i < residuals.Length; i++)
                {
                    var difference = now[i] - before[i];
                    residuals[i] = ZigZag.Of(difference - slope);
                    slope = difference;
                }

                break;
            case PredictionKind.Grid:
                var grid = new GridWalk(x[0], Parameter, x.Length - 1, from);
                for (var i = 0; i < residuals.Length; i++)
                {
                    residuals[i] = ZigZag.Of(now[i] - grid.Next());
                }

                break;
            case PredictionKind.Least:
                var least = x[0] + Parameter;
                for (var i = 0; i < residuals.Length; i++)
                {
                    residuals[i] = (ulong)(now[i] - least);
                }

                break;
            default:
                for (var i = 0; i < residuals.Length; i++)
                {
                    residuals[i] = (ulong)(now[i] ^ before[i]);
                }

                break;
        }
    }

    /// <summary>Puts the integers in the place of the residuals that stand behind <paramref name="x"/>[0].</summary>
    public void Restore(Span<long> x)
    {
        var last = x[0];
        var rest = x[1..];
        switch (Kind)
        {
            case PredictionKind.Last or PredictionKind.Step:
                var step = Kind == PredictionKind.Step ? Parameter : 0;
                for (var i = 0; i < rest.Length; i++)
                {
                    rest[i] = last += ZigZag.Back((ulong)rest[i]) + step;
                }

                break;
            case PredictionKind.Slope:
                var slope = 0L;
                for (var i = 0; i < rest.Length; i++)
                {
                    slope += ZigZag.Back((ulong)rest[i]);
                    rest[i] = last += slope;
                }

                break;
            case PredictionKind.Grid:
                var grid = new GridWalk(x[0], Parameter, x.Length - 1, 1);
                for (var i = 0; i < rest.Length; i++)
                {
                    rest[i] = grid.Next() + ZigZag.Back((ulong)rest[i]);
                }

                break;
            case PredictionKind.Least:
                var least = last + Parameter;
                for (var i = 0; i < rest.Length; i++)
                {
                    rest[i] += least;
                }

                break;
            default:
                for (var i = 0; i < rest.Length; i++)
                {
                    rest[i] = last ^= rest[i];
                }

                break;
        }
    }

    /// <summary>first + i * span / steps, rounded down, without a division a place.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct GridWalk
    {
        private readonly long _whole, _part, _steps;
        private long _at, _over;

        public GridWalk(long first, long span, long steps, int from)
        {
            (_whole, _part) = Math.DivRem(span, steps);
            _steps = steps;
            var (whole, over) = Math.DivRem(_part * from, steps);
            _at = first + (_whole * from) + whole;
            _over = over;
        }

        public long Next()
        {
            var at = _at;
            var over = _over + _part;
            var carry = over >= _steps ? 1 : 0;
            _over = over - (carry * _steps);
            _at += _whole + carry;
            return at;
        }
    }
}
