using System.Globalization;
using System.Text.RegularExpressions;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Storage.Postgres;

/// <summary>Advisory locks have one space of numbers: two that are equal would wait for each other.</summary>
public sealed partial class AdvisoryLockTests
{
    [Fact]
    public void Each_lock_has_a_number_of_its_own()
    {
        var files = Directory.EnumerateFiles(
            Path.Combine(SourceTree.Root, "cloud", "Telemetry.Storage"), "*.cs", SearchOption.AllDirectories);
        var numbers = files.SelectMany(file => Number().Matches(File.ReadAllText(file))).Select(m => m.Value).ToList();

        Assert.True(numbers.Count > 8, $"only {numbers.Count} were found");
        Assert.Equal(numbers.Distinct().Order(), numbers.Order());
    }

    [Fact]
    public void Merge_takes_the_lock_that_its_neighbours_take() => Assert.Contains(
        PartMerging.StepLock.ToString(CultureInfo.InvariantCulture),
        File.ReadAllText(Path.Combine(
            SourceTree.Root, "cloud", "Telemetry.Storage", "Postgres", "Migrations", "0012.sql")),
        StringComparison.Ordinal);

    [GeneratedRegex("0x7465_6c65_[0-9a-f_]+")]
    private static partial Regex Number();
}
