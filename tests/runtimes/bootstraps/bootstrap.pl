#!/usr/bin/env perl
use strict;
use warnings;
use HTTP::Tiny;
$| = 1;
my $api = "http://$ENV{AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation";
my $http = HTTP::Tiny->new(timeout => 3600);
while (1) {
    my $next = $http->get("$api/next");
    my $id = $next->{headers}{'lambda-runtime-aws-request-id'};
    print "Perl was asked: $next->{content}\n";
    $http->post("$api/$id/response", {content => scalar reverse $next->{content}});
}
