using System.Numerics;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The places at which a loop takes vectors of 64-bit numbers: the last one stands so far back that it ends with the
/// last number, and so takes some again.
/// </summary>
internal static class VectorSteps
{
    /// <summary>Fewer numbers than so many are taken one by one.</summary>
    public static int Least => Vector<ulong>.Count;

    /// <summary>The place behind <paramref name="at"/>; <paramref name="count"/> at the end.</summary>
    public static int Next(int at, int count)
    {
        var next = at + Vector<ulong>.Count;
        return next >= count ? count : Math.Min(next, count - Vector<ulong>.Count);
    }
}
