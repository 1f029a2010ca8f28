package com.mypurecloud.sdk.v2.model;

public class Organization {
  private final String name;

  public Organization(String name) {
    this.name = name;
  }

  public String getName() {
    return name;
  }
}
