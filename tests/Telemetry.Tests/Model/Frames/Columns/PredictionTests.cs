using System.Numerics;
using System.Runtime.InteropServices;
using Telemetry.Model.Frames.Columns;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// What the format says of predictions, by arithmetic that cannot round: whichever way the vectors go.
/// </summary>
public class PredictionTests
{
    private const int CountMax = 8192, Rounds = 400;

    [Fact]
    public void Places_of_a_grid_are_rounded_down_exactly()
    {
        var random = new Random(21);
        for (var round = 0; round < Rounds; round++)
        {
            var x = new long[round < 20 ? round + 2 : random.Next(2, CountMax + 1)];
            var span = (round % 4) switch
            {
                0 => random.NextInt64(Prediction.SpanEnd),
                1 => Prediction.SpanEnd - 1 - random.Next(10),
                2 => (random.NextInt64(1, 1 << 30) * (x.Length - 1)) + random.Next(-1, 2),
                _ => random.Next(3 * x.Length),
            };
            x[0] = random.NextInt64(long.MinValue, long.MaxValue);
            new Prediction(PredictionKind.Grid, Math.Max(0, span)).Restore(x);

            for (var i = 1; i < x.Length; i++)
            {
                var place = (BigInteger)Math.Max(0, span) * i / (x.Length - 1);
                Assert.Equal(unchecked(x[0] + (long)place), x[i]);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Residuals_from_any_place_on_are_those_of_the_formula(int range)
    {
        var random = new Random(22);
        for (var round = 0; round < Rounds; round++)
        {
            var x = new long[random.Next(2, 80)];
            for (var i = 0; i < x.Length; i++)
            {
                x[i] = range switch
                {
                    0 => random.Next(4),
                    1 => random.NextInt64(-(1L << 45), 1L << 45),
                    _ => random.NextInt64(long.MinValue, long.MaxValue),
                };
            }

            foreach (var kind in Enum.GetValues<PredictionKind>().Where(kind => kind != PredictionKind.Constant))
            {
                var parameter = kind == PredictionKind.Grid ? random.NextInt64(Prediction.SpanEnd) : random.NextInt64();
                var from = random.Next(1, x.Length);
                var residuals = new ulong[random.Next(1, x.Length - from + 1)];
                var prediction = new Prediction(kind, parameter);
                prediction.Residuals(x, from, residuals);

                for (var i = 0; i < residuals.Length; i++)
                {
                    Assert.Equal(Residual(prediction, x, from + i), residuals[i]);
                }

                var all = new long[x.Length];
                prediction.Residuals(x, 1, MemoryMarshal.Cast<long, ulong>(all.AsSpan(1)));
                all[0] = x[0];
                prediction.Restore(all);
                Assert.Equal(x, all);
            }
        }
    }

    private static ulong Residual(Prediction prediction, long[] x, int i)
    {
        unchecked
        {
            return prediction.Kind switch
            {
                PredictionKind.Last => ZigZag.Of(x[i] - x[i - 1]),
                PredictionKind.Step => ZigZag.Of(x[i] - x[i - 1] - prediction.Parameter),
                PredictionKind.Slope => ZigZag.Of(x[i] - x[i - 1] - (i == 1 ? 0 : x[i - 1] - x[i - 2])),
                PredictionKind.Grid =>
                    ZigZag.Of(x[i] - x[0] - (long)((BigInteger)prediction.Parameter * i / (x.Length - 1))),
                PredictionKind.Least => (ulong)(x[i] - x[0] - prediction.Parameter),
                _ => (ulong)(x[i] ^ x[i - 1]),
            };
        }
    }
}
