using Telemetry.Model.Schemas;
using System.Text.RegularExpressions;

namespace Telemetry.Tests.Model.Schemas;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("*", "", true)]
    [InlineData("pump", "pump", true)]
    [InlineData("pump", "Pump", false)]
    [InlineData("pump", "pump.flow", false)]
    [InlineData("pump.*", "pump.flow", true)]
    [InlineData("pump.*", "pump", false)]
    [InlineData("*.flow", "pump.flow", true)]
    [InlineData("p*p*flow", "pump.flow", true)]
    [InlineData("a*b", "abcb", true)]
    [InlineData("a?", "ab", false)]
    public void Star_stands_for_any_run_and_all_else_for_itself(string pattern, string name, bool fits) =>
        Assert.Equal(fits, new NamePattern(pattern).Fits(name));

    [Fact]
    public void Random_patterns_fit_as_the_same_regular_expressions_do()
    {
        var random = new Random(7);
        var fitting = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var pattern = new string(random.GetItems("ab*".AsSpan(), random.Next(8)));
            var name = new string(random.GetItems("ab".AsSpan(), random.Next(10)));
            var expected = Regex.IsMatch(
                name, $"^{pattern.Replace("*", ".*", StringComparison.Ordinal)}\\z", RegexOptions.NonBacktracking);
            Assert.True(
                expected == new NamePattern(pattern).Fits(name), $"'{pattern}' on '{name}': {expected} expected");
            fitting += expected ? 1 : 0;
        }

        Assert.InRange(fitting, 1_000, 19_000);
    }
}
