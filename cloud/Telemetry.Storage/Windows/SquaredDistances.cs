namespace Telemetry.Storage.Windows;

/// <summary>
/// The sum of the squares of values' distances from their mean, without knowing the mean before: distances are from the
/// first value.
/// </summary>
internal struct SquaredDistances(double first)
{
    private double _sum, _squares;

    public void Add(double value)
    {
        var distance = value - first;
        _sum += distance;
        _squares += distance * distance;
    }

    /// <summary>Adds the values of another one, of which there are <paramref name="count"/>.</summary>
    public void Add(SquaredDistances other, int count)
    {
        var move = other.First - first;
        _squares += other._squares + (move * ((2 * other._sum) + (count * move)));
        _sum += other._sum + (count * move);
    }

    /// <summary>The sum about the mean of <paramref name="count"/> values.</summary>
    public readonly double AboutMean(int count)
    {
        var squares = _squares - (_sum * _sum / count);
        return count < 2 ? 0 : double.IsNaN(squares) ? double.NaN : Math.Max(0, squares);
    }

    private readonly double First => first;
}
