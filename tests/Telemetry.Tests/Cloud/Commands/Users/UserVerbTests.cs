using Telemetry.Cloud.Commands.Users;
using Telemetry.Storage.Access;

namespace Telemetry.Tests.Cloud.Commands.Users;

public sealed class UserVerbTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("add", "'add'")]
    [InlineData("add anna secret", "'secret'")]
    [InlineData("add anna --password secret", "'--password'")]
    [InlineData("add an<na", "NAME is not of 1 to 64 letters, digits and . _ - @")]
    [InlineData("add anna --role root", "--role: 'root' is not allowed; use viewer, operator or admin")]
    [InlineData("add anna --role 2", "--role: '2' is not allowed; use viewer, operator or admin")]
    [InlineData("add anna --site", "'--site'")]
    [InlineData("token anna", "'--note' is required")]
    [InlineData(
        "token anna --note n --for 4000d", "--for: '4000d' is not allowed; use a span up to 3650 d, such as 30 d")]
    [InlineData("remove", "'remove'")]
    [InlineData("list anna", "'anna'")]
    public void What_is_wrong_is_named(string words, string problem) =>
        Assert.Contains(problem, VerbRun.Errors<UserArguments>(UserVerb.Create, words), StringComparison.Ordinal);

    [Fact]
    public void User_is_a_viewer_of_all_sites_unless_said_otherwise()
    {
        var plain = VerbRun.Arguments<UserArguments>(UserVerb.Create, "add anna");
        Assert.Equal("add anna Viewer", $"{plain.Verb} {plain.Name} {plain.Role}");
        Assert.Empty(plain.Sites);

        var some = VerbRun.Arguments<UserArguments>(UserVerb.Create, "add anna --role operator --site A --site B");
        Assert.Equal((UserRole.Operator, "A,B"), (some.Role, string.Join(',', some.Sites)));
    }

    [Fact]
    public void Token_holds_for_a_year_unless_said_otherwise()
    {
        Assert.Equal(365, VerbRun.Arguments<UserArguments>(UserVerb.Create, "token a --note n").Lasts.TotalDays);
        Assert.Equal(
            30, VerbRun.Arguments<UserArguments>(UserVerb.Create, "token a --note n --for 30d").Lasts.TotalDays);
    }
}
