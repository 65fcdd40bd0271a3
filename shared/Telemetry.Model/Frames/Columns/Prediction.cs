using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>What each integer of a column is predicted from; encoded in three bits.</summary>
internal enum PredictionKind : byte
{
    /// <summary>All are equal to the first one.</summary>
    Constant = 0,

    /// <summary>The previous one.</summary>
    Last = 1,

    /// <summary>The previous one plus a step: counters, or times of steady sources.</summary>
    Step = 2,

    /// <summary>The previous one plus the previous difference (delta of delta).</summary>
    Slope = 3,

    /// <summary>A point of an even grid from the first to the last one: times that jitter around a grid.</summary>
    Grid = 4,

    /// <summary>The least of all: bools, noise.</summary>
    Least = 5,

    /// <summary>The previous one, by exclusive or: bits of doubles.</summary>
    Xor = 6,
}

/// <summary>
/// A prediction and its parameter: of Step the step, of Grid the last integer minus the first, of Least the least minus
/// the first. The residual of place i is
/// <code>
/// Last    x[i] - x[i-1]                                         in zigzag, as all but Least and Xor
/// Step    x[i] - x[i-1] - step
/// Slope   x[i] - x[i-1] - (x[i-1] - x[i-2]); for i = 1 as Last
/// Grid    x[i] - x[0] - floor(i * span / (n - 1)), with 0 &lt;= span &lt; 2^50
/// Least   x[i] - least
/// Xor     x[i] ^ x[i-1]
/// </code>
/// All arithmetic is modulo 2^64. The first integer has no prediction; the caller writes it.
/// </summary>
internal readonly record struct Prediction(PredictionKind Kind, long Parameter)
{
    /// <summary>The span of a grid is below this.</summary>
    public const long SpanEnd = 1L << 50;

    /// <summary>True when a parameter is written.</summary>
    public bool HasParameter => Kind is PredictionKind.Step or PredictionKind.Grid or PredictionKind.Least;

    /// <summary>
    /// Fills <paramref name="residuals"/> with those of the places from <paramref name="from"/> (at least 1) on.
    /// </summary>
    public void Residuals(ReadOnlySpan<long> x, int from, Span<ulong> residuals)
    {
        if (Kind == PredictionKind.Slope && from == 1)
        {
            // The first one has only one predecessor.
            residuals[0] = ZigZag.Of(x[1] - x[0]);
            residuals = residuals[1..];
            from++;
        }

        var now = x.Slice(from, residuals.Length);
        var before = x.Slice(from - 1, residuals.Length);
        if (residuals.Length < VectorSteps.Least)
        {
            var earlier = Kind == PredictionKind.Slope ? x.Slice(from - 2, residuals.Length) : before;
            for (var i = 0; i < residuals.Length; i++)
            {
                residuals[i] = Kind switch
                {
                    PredictionKind.Last => ZigZag.Of(now[i] - before[i]),
                    PredictionKind.Step => ZigZag.Of(now[i] - before[i] - Parameter),
                    PredictionKind.Slope => ZigZag.Of(now[i] - before[i] - (before[i] - earlier[i])),
                    PredictionKind.Grid => ZigZag.Of(now[i] - new GridPlaces(x, Parameter).One(from + i)),
                    PredictionKind.Least => (ulong)(now[i] - x[0] - Parameter),
                    _ => (ulong)(now[i] ^ before[i]),
                };
            }

            return;
        }

        // The slices above checked that each has as many places as are filled.
        ref var nows = ref MemoryMarshal.GetReference(now);
        ref var befores = ref MemoryMarshal.GetReference(before);
        ref var into = ref MemoryMarshal.GetReference(residuals);
        switch (Kind)
        {
            case PredictionKind.Last or PredictionKind.Step:
                var step = new Vector<long>(Kind == PredictionKind.Step ? Parameter : 0);
                for (var at = 0; at < residuals.Length; at = VectorSteps.Next(at, residuals.Length))
                {
                    ZigZag.Of(Load(ref nows, at) - Load(ref befores, at) - step).StoreUnsafe(ref into, (nuint)at);
                }

                break;
            case PredictionKind.Slope:
                ref var earliers = ref MemoryMarshal.GetReference(x.Slice(from - 2, residuals.Length));
                for (var at = 0; at < residuals.Length; at = VectorSteps.Next(at, residuals.Length))
                {
                    var middle = Load(ref befores, at);
                    var slope = middle - Load(ref earliers, at);
                    ZigZag.Of(Load(ref nows, at) - middle - slope).StoreUnsafe(ref into, (nuint)at);
                }

                break;
            case PredictionKind.Grid:
                var grid = new GridPlaces(x, Parameter);
                for (var at = 0; at < residuals.Length; at = VectorSteps.Next(at, residuals.Length))
                {
                    ZigZag.Of(Load(ref nows, at) - grid.From(from + at)).StoreUnsafe(ref into, (nuint)at);
                }

                break;
            case PredictionKind.Least:
                var least = new Vector<long>(x[0] + Parameter);
                for (var at = 0; at < residuals.Length; at = VectorSteps.Next(at, residuals.Length))
                {
                    Vector.AsVectorUInt64(Load(ref nows, at) - least).StoreUnsafe(ref into, (nuint)at);
                }

                break;
            default:
                for (var at = 0; at < residuals.Length; at = VectorSteps.Next(at, residuals.Length))
                {
                    Vector.AsVectorUInt64(Load(ref nows, at) ^ Load(ref befores, at)).StoreUnsafe(ref into, (nuint)at);
                }

                break;
        }

        static Vector<long> Load(ref long from, int at) => Vector.LoadUnsafe(ref from, (nuint)at);
    }

    /// <summary>Replaces the residuals after <paramref name="x"/>[0] by the integers.</summary>
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
                new GridPlaces(x, Parameter).Restore(rest);
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

    /// <summary>The points of a grid: x[0] + floor(i * span / (n - 1)).</summary>
    private readonly struct GridPlaces
    {
        // span / (n - 1) is a whole part and a rest. The whole part is multiplied by i as an integer. For the rest,
        // i * rest / (n - 1), which is below 2^13, is computed with doubles: 0.5 is added to i * rest, so that the
        // quotient is at least 0.5 / (n - 1) away from any whole number. That is far more than the doubles' error.
        private readonly long _first, _whole;
        private readonly double _rest, _stepsInverse;
        private readonly Vector<long> _wholes;

        public GridPlaces(ReadOnlySpan<long> x, long span)
        {
            (_whole, var rest) = Math.DivRem(span, x.Length - 1);
            _first = x[0];
            _rest = rest;
            _stepsInverse = 1.0 / (x.Length - 1);
            _wholes = Vector<long>.Indices * _whole;
        }

        public long One(int place) => _first + (_whole * place) + (long)(((_rest * place) + 0.5) * _stepsInverse);

        /// <summary>The points from this place on, as many as a vector holds.</summary>
        public Vector<long> From(int place)
        {
            var places = Vector<double>.Indices + new Vector<double>(place);
            var parts = ((places * _rest) + new Vector<double>(0.5)) * _stepsInverse;

            // To round down, subtract a half and round to the nearest whole number.
            var rounded = parts - new Vector<double>(0.5) + new Vector<double>(DecimalScale.Magic);
            return new Vector<long>(_first + (_whole * place)) + _wholes
                + (Vector.AsVectorInt64(rounded) - new Vector<long>(DecimalScale.MagicBits));
        }

        /// <summary>Replaces the residuals of the places from 1 on by integers.</summary>
        public void Restore(Span<long> residuals)
        {
            var vectors = MemoryMarshal.Cast<long, Vector<long>>(residuals);
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] = From(1 + (i * Vector<long>.Count)) + ZigZag.Back(Vector.AsVectorUInt64(vectors[i]));
            }

            for (var i = vectors.Length * Vector<long>.Count; i < residuals.Length; i++)
            {
                residuals[i] = One(1 + i) + ZigZag.Back((ulong)residuals[i]);
            }
        }
    }
}
