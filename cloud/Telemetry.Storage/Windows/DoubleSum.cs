namespace Telemetry.Storage.Windows;

/// <summary>
/// A sum of doubles by Neumaier's algorithm: what the sum cuts from a small value is kept beside it.
/// </summary>
internal struct DoubleSum(double start)
{
    private double _sum = start;
    private double _cut;

    /// <summary>The sum.</summary>
    public readonly double Value => double.IsFinite(_cut) ? _sum + _cut : _sum;

    public void Add(double value)
    {
        var sum = _sum + value;
        _cut += Math.Abs(_sum) >= Math.Abs(value) ? _sum - sum + value : value - sum + _sum;
        _sum = sum;
    }

    public void Add(DoubleSum other)
    {
        Add(other._sum);
        _cut += other._cut;
    }
}
